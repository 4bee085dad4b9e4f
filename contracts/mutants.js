#!/usr/bin/env node
// mutants.js FOLDER < LIST: compiles the escrow once for each change of the list, [{"file", "line", "after"}, ...], and
// writes FOLDER/NUMBER.json; nothing where a change does not compile. One process, for the compiler takes seconds to start.
"use strict";
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const here = __dirname;
const folder = process.argv[2];
const whole = "src/BugMarkEscrow.sol";
const sources = {};
for (const name of fs.readdirSync(path.join(here, "src"), { recursive: true })) {
  if (name.endsWith(".sol")) sources[`src/${name}`] = fs.readFileSync(path.join(here, "src", name), "utf8");
}

function imported(name) {
  return { contents: fs.readFileSync(path.join(here, "node_modules", name), "utf8") };
}

function compiled(change) {
  const lines = sources[change.file].split("\n");
  lines[change.line] = change.after;
  const changed = { ...sources, [change.file]: lines.join("\n") };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(changed).map(([name, content]) => [name, { content }])),
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: false },
      outputSelection: { [whole]: { BugMarkEscrow: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: imported }));
  if ((output.errors || []).some((error) => error.severity === "error")) return null;
  const { abi, evm } = output.contracts[whole].BugMarkEscrow;
  const code = (part) => ({ object: `0x${evm[part].object}`, linkReferences: {} });
  return { abi, bytecode: code("bytecode"), deployedBytecode: code("deployedBytecode") };
}

fs.mkdirSync(folder, { recursive: true });
JSON.parse(fs.readFileSync(0, "utf8")).forEach((change, number) => {
  const found = compiled(change);
  if (found) fs.writeFileSync(path.join(folder, `${number}.json`), JSON.stringify(found));
  if (number % 10 === 9) console.log(`${number + 1} changes compiled`);
});
