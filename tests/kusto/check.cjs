// Parses and analyses KQL with Microsoft's own language service, against the tables of tables.json.
// node check.cjs FILE… prints a JSON array of {file, line, message}.
const fs = require("fs");
const path = require("path");
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const {GlobalState, KustoCode, Symbols} = Kusto.Language;
const tables = JSON.parse(fs.readFileSync(path.join(__dirname, "tables.json"), "utf8")).tables;
const schemas = Object.entries(tables).map(([name, columns]) => {
  const texts = Object.entries(columns).map(([column, type]) => `${column}: ${type}`);
  return new Symbols.TableSymbol.$ctor7(name, `(${texts.join(", ")})`, null);
});
const database = new Symbols.DatabaseSymbol.$ctor1("workspace", schemas);
const globals = GlobalState.Default.WithDatabase(database);

const found = [];
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, "utf8");
  const diagnostics = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  for (let i = 0; i < diagnostics.Count; i++) {
    const one = diagnostics.getItem ? diagnostics.getItem(i) : diagnostics.Items[i];
    found.push({file, line: text.slice(0, one.Start).split("\n").length, message: one.Message});
  }
}
process.stdout.write(JSON.stringify(found));
