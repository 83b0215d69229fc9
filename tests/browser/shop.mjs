// What stands in the place of the applications: a server that answers everything, and remembers what was asked.
import { once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";

/** Another site than the provider's, as applications are: `localhost`, not 127.0.0.1. */
export const SHOP = process.env.SHOP_URL;

let server;
let asked = [];
after(() => server?.close() && server.closeAllConnections());

/** Answers from here on; returns the addresses that are asked for, in their order. */
export async function applications() {
  if (server === undefined) {
    server = createServer(answer);
    server.listen(Number(new URL(SHOP).port), "localhost");
    await once(server, "listening");
  }
  asked = [];
  return asked;
}

function answer(request, response) {
  const url = new URL(request.url, SHOP);
  asked.push(url.href);
  if (url.pathname === "/never") return;
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`<!DOCTYPE html><html lang="en"><title>Shop</title><main><h1>Shop</h1>${pages[url.pathname] ?? ""}</main>`);
}

/** What a page of another site holds; a test says it. */
export const pages = {};
