// main.mjs SUITE [WORD]: runs every test of that folder in one browser, or those whose file names have the word.
import { readdir } from "node:fs/promises";

const [suite, word = ""] = process.argv.slice(2);
const folder = new URL(`${suite}/`, import.meta.url);
const files = (await readdir(folder)).filter((file) => file.endsWith(".mjs") && file.includes(word)).sort();
if (files.length === 0) throw new Error(`no test in ${suite} is called ${word}`);
for (const file of files) await import(new URL(file, folder));
