// What a page looks like, and whether everybody can use it.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import axe from "axe-core";

const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };

/**
 * On a phone and on a desktop, in light and dark: axe finds nothing, nothing scrolls sideways; and a picture.
 * Other words in the same page (`onlyWords`) change no colour, and are longest on a phone.
 */
export async function look(page, name, { onlyWords = false } = {}) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    if (onlyWords && size !== "phone") continue;
    await page.setViewportSize(viewport);
    for (const colorScheme of onlyWords ? ["light"] : ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const at = `${name}-${size}-${colorScheme}`;
      assert.deepEqual(await accessibilityFaults(page), [], at);
      assert.equal(await overflow(page), 0, `${at} scrolls sideways`);
      await picture(page, at);
    }
  }
}

/** What axe-core finds by all of its rules, best practices too. */
export async function accessibilityFaults(page) {
  // Evaluated by the debugger, so that the page's own policy stays as it is.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
}

const overflow = (page) => page.evaluate(() => {
  const root = document.documentElement;
  return Math.max(0, root.scrollWidth - root.clientWidth);
});

async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
