/**
 * @file `npm test`: everything that can be checked on one machine, cheap steps first, slow ones side by side.
 * `--only=types,unit` runs some of it; `npm run test:long` runs what it leaves out for its time. Stops at the first failure.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { checkBudget } from './budget.mjs';
import { ensureChromium, vulkanEnvironment } from './chromium.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

/** The commands that run now: all of them are stopped when one fails. */
const running = new Set();

/** Ends what still runs, browsers and workers included: by force what has not ended after some seconds. */
function stopAll(signal = 'SIGTERM') {
  for (const child of running) {
    try {
      if (child.grouped) process.kill(-child.pid, signal);
      else child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  }
  if (signal === 'SIGTERM') setTimeout(stopAll, 10_000, 'SIGKILL').unref();
}

/** The names of the tests that failed, as their runners write them. The end of the output repeats them. */
const failedTests = new Set();

/** Vitest writes `FAIL  project  file > test`, Playwright `1) file:line › test ───`. */
const failedTest = /^\s*(?:FAIL\s+|\d+\) (?=\S+:\d+:\d+ ))(.+?)[\s─]*$/;

/** Writes a stream's whole lines under the name of its step. */
function relay(stream, id) {
  createInterface({ input: stream }).on('line', (line) => {
    console.log(`${id.padEnd(6)}│ ${line}`);
    const name = failedTest.exec(stripVTControlCharacters(line))?.[1];
    if (name) failedTests.add(name);
  });
}

/**
 * Runs a command of node_modules/.bin to its end; rejects with its name when it fails. Where several steps run, `id` stands
 * before each line of its output; a step alone (`id` null) writes to the terminal itself.
 */
function run(id, command, parameters, environment = {}) {
  return new Promise((done, failed) => {
    const color = id !== null && process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
    // A group is ended as a whole. A command alone stays in the terminal's own group.
    const grouped = id !== null && process.platform !== 'win32';
    const child = spawn(join(root, 'node_modules', '.bin', command), parameters, {
      cwd: root,
      stdio: id === null ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      detached: grouped,
      env: { ...process.env, ...color, ...environment },
    });
    Object.assign(child, { grouped });
    running.add(child);
    if (id !== null) for (const stream of [child.stdout, child.stderr]) relay(stream, id);
    const ended = (outcome) => {
      running.delete(child);
      outcome();
    };
    child.on('error', (error) => ended(() => failed(error)));
    // 'close' comes after the last line of output.
    child.on('close', (code, signal) =>
      ended(() => {
        if (code === 0) done();
        else failed(new Error(`${[command, ...parameters].join(' ')} ended with ${signal ?? `exit code ${code}`}.`));
      }),
    );
  });
}

/** Ends with the built page in Chromium: the specs of one tier. */
async function endToEnd(id, chromium, tier) {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('dist/ is not built. Run: npm run build');
  await run(id, 'playwright', ['test'], { CHROMIUM_PATH: chromium, SECATEUR_TIER: tier });
}

/**
 * `after`: the steps that must have passed before this one starts; those that were not asked for do not count. GPU tests
 * compile kernels one at a time, so the unit tests, then the page, use the core that they leave idle.
 */
const steps = [
  { id: 'types', title: 'Types', after: [], run: (id) => run(id, 'tsc', ['--noEmit']) },
  {
    id: 'lint',
    title: 'Lint and format',
    after: [],
    run: (id) => run(id, 'biome', ['check', '--error-on-warnings', '.']),
  },
  { id: 'build', title: 'Build', after: [], run: (id) => run(id, 'vite', ['build']) },
  {
    id: 'budget',
    title: 'Bundle budget',
    after: ['build'],
    run: async () => console.log(checkBudget(dist)),
  },
  {
    id: 'gpu',
    title: 'GPU kernels',
    after: ['types', 'lint', 'budget'],
    browser: true,
    run: (id, chromium) => run(id, 'vitest', ['run', '--project', 'gpu'], vulkanEnvironment(chromium)),
  },
  {
    id: 'unit',
    title: 'Unit tests',
    after: ['types', 'lint', 'budget'],
    run: (id) => run(id, 'vitest', ['run', '--project', 'unit']),
  },
  {
    id: 'e2e',
    title: 'End to end',
    after: ['build', 'budget', 'unit'],
    browser: true,
    run: (id, chromium) => endToEnd(id, chromium, 'short'),
  },
  {
    id: 'unit-long',
    title: 'Unit tests, all',
    after: ['build'],
    onlyByName: true,
    run: (id) => run(id, 'vitest', ['run', '--project', 'unit'], { SECATEUR_TIER: 'long' }),
  },
  {
    id: 'gpu-long',
    title: 'GPU, all tests',
    after: ['build', 'unit-long'],
    browser: true,
    onlyByName: true,
    run: (id, chromium) =>
      run(id, 'vitest', ['run', '--project', 'gpu'], { ...vulkanEnvironment(chromium), SECATEUR_TIER: 'long' }),
  },
  {
    id: 'long',
    title: 'End to end, long',
    after: ['build', 'gpu-long'],
    browser: true,
    onlyByName: true,
    run: (id, chromium) => endToEnd(id, chromium, 'long'),
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
  for (const name of failedTests) console.log(`FAILED   ${name}`);
}

/** Starts each step when those before it have passed. The first failure stops the others, and no further step starts. */
async function runSteps(chosen, chromium) {
  const results = chosen.map(({ title }) => ({ title, state: 'not run', milliseconds: null }));
  let failed = false;
  const start = async (step, result) => {
    console.log(`\n──── ${step.title}`);
    const begun = performance.now();
    try {
      await step.run(chosen.length > 1 ? step.id : null, chromium);
      result.state = 'passed';
      console.log(`──── ${step.title}: passed after ${clock(performance.now() - begun)}`);
    } catch (error) {
      result.state = failed ? 'stopped' : 'FAILED';
      if (!failed) {
        failed = true;
        process.exitCode = 1;
        console.error(`\n──── ${step.title} failed: ${error.message}`);
        console.error(`Run it alone: npm test -- --only=${step.id}`);
        stopAll();
      }
    }
    result.milliseconds = performance.now() - begun;
  };
  const ends = new Map();
  for (const [index, step] of chosen.entries()) {
    const before = step.after.map((id) => ends.get(id));
    const started = Promise.all(before).then(() => (failed ? undefined : start(step, results[index])));
    ends.set(step.id, started);
  }
  await Promise.all(ends.values());
  return results;
}

async function main() {
  const chosen = chosenSteps();
  const started = performance.now();
  // Asked for first: a missing browser should not come to light after ten minutes.
  const headless = !chosen.some(({ id }) => id === 'long');
  const chromium = chosen.some(({ browser }) => browser) ? ensureChromium({ headless }) : null;
  // Commands have process groups of their own, which the terminal does not interrupt.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      stopAll();
      process.exit(1);
    });
  }
  summary(await runSteps(chosen, chromium), started);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
