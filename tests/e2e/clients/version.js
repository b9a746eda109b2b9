// dockerode, the client of Docker for Node.js: node version.js PORT CA CERT KEY
const fs = require("fs");
const Docker = require("dockerode");

const [port, ca, cert, key] = process.argv.slice(2);
const files = { ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
new Docker({ protocol: "https", host: "127.0.0.1", port, ...files }).version().then(
  (told) => console.log(JSON.stringify(told)),
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
