import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.*;
import java.util.*;
import javax.net.ssl.*;

/** Asks each URL with the files of a folder, as Docker's clients in Java do, and prints how that fails. */
class Ask {
    public static void main(String[] words) throws Exception {
        for (int i = 0; i < words.length; i += 2) {
            System.out.println("#ask");
            try {
                HttpsURLConnection ask = (HttpsURLConnection) new URL(words[i]).openConnection();
                ask.setSSLSocketFactory(context(Path.of(words[i + 1])).getSocketFactory());
                ask.setConnectTimeout(1000);
                ask.setReadTimeout(1000);
                System.out.println(ask.getResponseCode());
            } catch (Exception fault) {
                fault.printStackTrace(System.out);
            }
        }
    }

    static SSLContext context(Path folder) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12"), trusted = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", certificates(folder.resolve("ca.pem"))[0]);
        if (Files.exists(folder.resolve("key.pem"))) {
            String text = Files.readString(folder.resolve("key.pem")).replaceAll("-----[A-Z ]*-----|\\s", "");
            PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
            own.setKeyEntry("me", key, new char[0], certificates(folder.resolve("cert.pem")));
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(own, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    static java.security.cert.Certificate[] certificates(Path file) throws Exception {
        try (InputStream in = Files.newInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new java.security.cert.Certificate[0]);
        }
    }
}
