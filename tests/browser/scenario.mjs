// A test in a browser of its own: new cookies, nothing cached. It fails on what a person does not see, too:
// an error in the console, a script that throws, a violation of the Content-Security-Policy.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { chromium } from "playwright-core";

export const launch = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    // Chromium's sandbox refuses to be root's.
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ],
};
// Generous: the machine may be busy, and the page of the API is long.
const LIMIT = 180_000;

let browser;
after(() => browser?.close());

/**
 * Runs `body({page, context})` as a test. `options` are those of a context of Playwright; `expected` is what
 * the console may say.
 */
export function scenario(name, body, { expected, ...options } = {}) {
  test(name, { timeout: LIMIT }, async () => {
    browser ??= await chromium.launch(launch);
    const context = await browser.newContext({ locale: "en-GB", ...options });
    try {
      await within(context, body, expected);
    } finally {
      await context.close();
    }
  });
}

/** The same in a browser with settings of a person's own: `preferences` as Chromium keeps them. */
export function scenarioWith(name, preferences, body) {
  test(name, { timeout: LIMIT }, async () => {
    const profile = await mkdtemp(join(tmpdir(), "claviger-profile-"));
    await mkdir(join(profile, "Default"));
    await writeFile(join(profile, "Default/Preferences"), JSON.stringify(preferences));
    const context = await chromium.launchPersistentContext(profile, { ...launch, locale: "en-GB" });
    try {
      await within(context, body);
    } finally {
      await context.close();
      await rm(profile, { recursive: true, maxRetries: 5 });
    }
  });
}

async function within(context, body, expected) {
  context.setDefaultTimeout(10_000);
  const faults = watch(context);
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  await body({ page, context });
  assert.deepEqual(faults().filter((fault) => !expected?.test(fault)), []);
}

/** Listens to every page; returns what was wrong so far. */
function watch(context) {
  const found = [];
  // A page with a status of 400 or more is reported as a fault of itself, and is none.
  const answered = new Set();
  context.on("response", (response) => {
    if (response.request().isNavigationRequest() && response.status() >= 400) answered.add(response.url());
  });
  context.on("console", (message) => {
    if (message.type() === "error") found.push([message.text(), message.location().url]);
  });
  context.on("weberror", (error) => found.push([String(error.error()), ""]));
  const isItsStatus = ([text, url]) => text.startsWith("Failed to load resource:") && answered.has(url);
  return () => found.filter((fault) => !isItsStatus(fault)).map(([text, url]) => `${text} (${url})`);
}
