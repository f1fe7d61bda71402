/**
 * @file `npm run lab -- [options]`: runs the laboratory from the command line. Opens the built page in a headless
 * Chromium, calls `window.lab` as the page's buttons do, and prints the report. `--help` lists the options.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { register } from 'tsx/esm/api';
import { chromiumFlags, findChromium, installHint } from './chromium.mjs';
import { ensureBuilt } from './lab/build.mjs';
import { connect, PageError, runJob } from './lab/drive.mjs';
import { serveModel } from './lab/modelServer.mjs';
import { plain } from './lab/plain.mjs';
import { serve } from './serve.mjs';

// These read the registry of methods and the record, which are TypeScript.
register();
const { help, readOptions, UsageError } = await import('./lab/options.mjs');
const { bestTable, comparisonTable, conditions, scoresTable, verdictLines, widthTable } = await import(
  './lab/table.mjs'
);
const { exportVariants } = await import('./lab/exporting.mjs');
const { recordJson } = await import('../src/report/record.ts');
const { recordMarkdown } = await import('../src/report/markdown.ts');
const { recordCsv } = await import('../src/report/csv.ts');
const { reportFile } = await import('../src/report/link/file.ts');

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Progress on stderr: one line rewritten on a terminal, else a line whenever the stage changes. */
function progressWriter(quiet) {
  if (quiet) return { update: () => undefined, end: () => undefined };
  const live = process.stderr.isTTY === true;
  let stage = '';
  const update = (progress) => {
    const share =
      progress.total > 0
        ? `${Math.floor((100 * progress.done) / progress.total)} % of ${progress.total} ${progress.unit}`
        : '';
    if (live) process.stderr.write(`\r\x1b[K${plain(progress.stage)}  ${plain(share)}`);
    else if (progress.stage !== stage) process.stderr.write(`${plain(progress.stage)}\n`);
    stage = progress.stage;
  };
  return { update, end: () => void (live && process.stderr.write('\r\x1b[K')) };
}

/** The source as the page at `origin` can read it; a folder of this disk is served to that page until `close`. */
async function reachable(model, origin) {
  const local = model.startsWith('.') || model.startsWith('/') || model.startsWith('~') || existsSync(model);
  if (model === 'demo' || !local) return { source: model, close: async () => undefined };
  const folder = resolve(model);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new UsageError(`--model: ${folder} is not a folder.`);
  if (!existsSync(join(folder, 'config.json'))) throw new UsageError(`--model: ${folder} holds no config.json.`);
  const { url, close } = await serveModel(folder, origin);
  return { source: url, close };
}

function executable(options) {
  const path = findChromium(options.chromium ? { ...process.env, CHROMIUM_PATH: options.chromium } : process.env);
  if (path === null) throw new UsageError(`No Chromium was found. ${installHint}`);
  return path;
}

async function print({ report: measured, comparison, best, link, exported }, options) {
  const report = { ...measured, ...options.words };
  const json = `${recordJson(report, 2)}\n`;
  if (options.json === '-') return void process.stdout.write(json);
  if (options.json !== undefined) writeFileSync(options.json, json);
  if (options.report !== undefined) writeFileSync(options.report, await reportFile(report).text());
  if (options.markdown !== undefined) {
    writeFileSync(options.markdown, recordMarkdown(report, link === null ? {} : { link }));
  }
  if (options.csv !== undefined) writeFileSync(options.csv, recordCsv(report));
  const tables = [conditions(report)];
  if (report.scores.length > 0) tables.push(scoresTable(report.scores));
  if (report.widthScores.length > 0) tables.push(widthTable(report.widthScores));
  tables.push(comparisonTable(comparison, report.model.shape));
  const verdicts = options.compare === null ? null : verdictLines(comparison);
  if (verdicts !== null) tables.push(verdicts);
  if (best !== null) tables.push(bestTable(best));
  for (const { folder, files, bytes, refusal } of exported) {
    tables.push(refusal ? `${folder}: ${refusal}` : `${folder}: ${files} files, ${(bytes / 1e6).toFixed(1)} MB`);
  }
  if (link !== null) tables.push(link);
  console.log(plain(tables.join('\n\n')));
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(help);
  const progress = progressWriter(options.quiet);
  const executablePath = executable(options);
  ensureBuilt(root, (line) => void (options.quiet || console.error(line)));
  const site = await serve({ root: join(root, 'dist'), port: 0 });
  const model = await reachable(options.model, new URL(site.url).origin).catch(async (error) => {
    await site.close();
    throw error;
  });
  const browser = await chromium.launch({
    executablePath,
    headless: !options.headed,
    args: chromiumFlags({ software: !options.gpu }),
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const crashed = new Promise((_, reject) => {
      page.once('crash', () => reject(new Error('The page crashed: the machine may be out of memory.')));
      page.once('close', () => reject(new Error('The window was closed.')));
    });
    crashed.catch(() => undefined);
    // With an empty model name, the page starts without loading a model.
    await page.goto(`${site.url}?model=`);
    const call = await connect(page, progress.update);
    const run = async () => {
      const outcome = await runJob(call, model.source, options);
      const exported = await exportVariants(page, call, options);
      const link = options.share === null ? null : await call('shareUrl', { ...options.words, page: options.share });
      return { ...outcome, exported, link };
    };
    const outcome = await Promise.race([run(), crashed]);
    progress.end();
    await print(outcome, options);
  } finally {
    progress.end();
    await browser.close();
    await site.close();
    await model.close();
  }
}

main().catch((error) => {
  if (error instanceof PageError) console.error(plain(`${error.code}: ${error.message}\n${error.remedy}`));
  else if (error instanceof UsageError) console.error(plain(`${error.message}\nAll options: npm run lab -- --help`));
  else console.error(plain(error.message));
  process.exit(error instanceof UsageError ? 2 : 1);
});
