// Serves the application's files, and tells the page whom to talk to. Nothing else happens here.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const listen = process.env.LISTEN || "127.0.0.1:8082";
const config = {
  issuer: process.env.ISSUER || "http://127.0.0.1:8080/api/v1/auth/tenants/acme",
  clientId: process.env.CLIENT_ID || "shop.dashboard",
  orders: process.env.ORDERS || "http://127.0.0.1:8083/orders",
};
const files = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/main.js": ["main.js", "text/javascript"],
  "/session.js": ["session.js", "text/javascript"],
  "/logged-out.html": ["logged-out.html", "text/html; charset=utf-8"],
  "/logged-out.js": ["logged-out.js", "text/javascript"],
  "/oauth4webapi.js": ["node_modules/oauth4webapi/build/index.js", "text/javascript"],
};
const issuer = new URL(config.issuer).origin;

// What came in by a hole somewhere can run no script and send tokens nowhere else.
function policy(path) {
  // Where a person logs out, the provider shows that one page in a frame.
  const framedBy = path === "/logged-out.html" ? issuer : "'none'";
  const calls = `'self' ${issuer} ${new URL(config.orders).origin}`;
  return `default-src 'none'; script-src 'self'; connect-src ${calls}; img-src data:; base-uri 'none'; frame-ancestors ${framedBy}`;
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://any");
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Security-Policy", policy(pathname));
  // The page's address holds a code for a moment: it goes nowhere.
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (pathname === "/config.json") {
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(config));
  } else if (Object.hasOwn(files, pathname)) {
    const [file, type] = files[pathname];
    response.writeHead(200, { "Content-Type": type }).end(await readFile(new URL(file, import.meta.url)));
  } else {
    response.writeHead(404).end();
  }
});
const [host, port] = listen.split(":");
server.listen(Number(port), host, () => console.log(`the orders dashboard: http://${listen}/`));
