import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** What a program in Java does, with nothing but the JDK: java Version.java PORT CA PKCS12 PASSPHRASE */
public class Version {
    public static void main(String[] words) throws Exception {
        char[] passphrase = words[3].toCharArray();
        KeyStore mine = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(words[2])) {
            mine.load(file, passphrase);
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (FileInputStream file = new FileInputStream(words[1])) {
            for (var one : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                trusted.setCertificateEntry("ca" + trusted.size(), one);
            }
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(mine, passphrase);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        HttpClient client = HttpClient.newBuilder().sslContext(context).build();
        HttpRequest asked = HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + words[0] + "/version")).build();
        System.out.println(client.send(asked, HttpResponse.BodyHandlers.ofString()).body());
    }
}
