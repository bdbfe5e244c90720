// The JavaScript of the manual, run as it stands but for the gateway's address.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as stand from "./stand.mjs";

const manual = await readFile(new URL("../../../docs/clients.md", import.meta.url), "utf8");
const blocks = [...manual.matchAll(/^```js\n(.*?)^```/gms)].map(([, block]) => block);

for (const [i, block] of blocks.entries()) {
  // O-17
  test(`block ${i + 1}`, { timeout: 60_000 }, async (t) => {
    // A module finds its packages beside itself.
    const file = new URL(`docs-block-${i}.mjs`, import.meta.url);
    t.after(() => rm(fileURLToPath(file), { force: true }));
    await writeFile(file, block.replaceAll("http://127.0.0.1:8080", stand.url));
    const said = [];
    t.mock.method(console, "log", (...words) => said.push(words.join(" ")));
    await import(file);
    t.mock.restoreAll();
    assert.match(said.join("\n"), /Weir/);
  });
}
assert.ok(blocks.length > 0, "the manual shows no JavaScript");
