/**
 * @file `npm test`: everything that can be checked on one machine, in the order in which failures are cheapest to find.
 * `--only=types,unit` runs some of it; `npm run test:long` runs what it leaves out for its time. Stops at the first failure.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkBudget } from './budget.mjs';
import { ensureChromium, vulkanEnvironment } from './chromium.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

/** Runs a command of node_modules/.bin to its end; rejects with its name when it fails. */
function run(command, parameters, environment = {}) {
  return new Promise((done, failed) => {
    const child = spawn(join(root, 'node_modules', '.bin', command), parameters, {
      cwd: root,
      stdio: 'inherit',
      shell: process.platform === 'win32',
      env: { ...process.env, ...environment },
    });
    child.on('error', failed);
    child.on('exit', (code, signal) => {
      if (code === 0) done();
      else failed(new Error(`${[command, ...parameters].join(' ')} ended with ${signal ?? `exit code ${code}`}.`));
    });
  });
}

/** Ends with the built page in Chromium: the specs of one tier. */
async function endToEnd(chromium, tier) {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('dist/ is not built. Run: npm run build');
  await run('playwright', ['test'], { CHROMIUM_PATH: chromium, SECATEUR_TIER: tier });
}

const steps = [
  { id: 'types', title: 'Types', run: () => run('tsc', ['--noEmit']) },
  { id: 'lint', title: 'Lint and format', run: () => run('biome', ['check', '--error-on-warnings', '.']) },
  { id: 'unit', title: 'Unit tests', run: () => run('vitest', ['run', '--project', 'unit']) },
  {
    id: 'gpu',
    title: 'GPU kernels',
    browser: true,
    run: (chromium) => run('vitest', ['run', '--project', 'gpu'], vulkanEnvironment(chromium)),
  },
  { id: 'build', title: 'Build', run: () => run('vite', ['build']) },
  { id: 'budget', title: 'Bundle budget', run: async () => console.log(checkBudget(dist)) },
  {
    id: 'e2e',
    title: 'End to end',
    browser: true,
    run: (chromium) => endToEnd(chromium, 'short'),
  },
  {
    id: 'unit-long',
    title: 'Unit tests, all',
    onlyByName: true,
    run: () => run('vitest', ['run', '--project', 'unit'], { SECATEUR_TIER: 'long' }),
  },
  {
    id: 'gpu-long',
    title: 'GPU, all tests',
    browser: true,
    onlyByName: true,
    run: (chromium) =>
      run('vitest', ['run', '--project', 'gpu'], { ...vulkanEnvironment(chromium), SECATEUR_TIER: 'long' }),
  },
  {
    id: 'long',
    title: 'End to end, long',
    browser: true,
    onlyByName: true,
    run: (chromium) => endToEnd(chromium, 'long'),
  },
];

function chosenSteps() {
  const ids = steps.map(({ id }) => id);
  const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    console.log(`npm test [-- --only=${ids.join(',')}]`);
    process.exit(0);
  }
  const only = values.only?.split(',') ?? steps.filter(({ onlyByName }) => !onlyByName).map(({ id }) => id);
  const unknown = only.filter((id) => !ids.includes(id));
  if (unknown.length > 0) throw new Error(`--only: expected some of ${ids.join(', ')}; got '${unknown.join(', ')}'.`);
  return steps.filter(({ id }) => only.includes(id));
}

const clock = (milliseconds) => {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

function summary(results, started) {
  console.log('\n──── Summary');
  for (const { title, state, milliseconds } of results) {
    console.log(
      `${state.padEnd(8)} ${title.padEnd(18)} ${milliseconds === null ? '' : clock(milliseconds).padStart(6)}`,
    );
  }
  console.log(`${' '.repeat(9)}${'in all'.padEnd(18)} ${clock(performance.now() - started).padStart(6)}`);
}

async function main() {
  const chosen = chosenSteps();
  const started = performance.now();
  // Asked for first: a missing browser should not come to light after ten minutes.
  const chromium = chosen.some(({ browser }) => browser) ? ensureChromium() : null;
  const results = chosen.map(({ title }) => ({ title, state: 'not run', milliseconds: null }));
  for (const [index, step] of chosen.entries()) {
    console.log(`\n──── ${step.title}`);
    const begun = performance.now();
    try {
      await step.run(chromium);
      results[index].state = 'passed';
    } catch (error) {
      results[index].state = 'FAILED';
      console.error(`\n${step.title} failed: ${error.message}`);
      console.error(`Run it alone: npm test -- --only=${step.id}`);
      process.exitCode = 1;
    }
    results[index].milliseconds = performance.now() - begun;
    if (process.exitCode) break;
  }
  summary(results, started);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
