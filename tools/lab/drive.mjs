/** @file Calls the `lab` object of an open page by the contract of src/lab/contract/types.ts, with progress and typed failures. */

/** A LabError that happened in the page. */
export class PageError extends Error {
  constructor({ code, message, remedy }) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** Waits until the page's laboratory is ready, then returns `call(method, …arguments)`. */
export async function connect(page, onProgress) {
  await page.exposeFunction('secateurProgress', onProgress);
  await page.waitForFunction(() => window.lab !== undefined);
  const call = async (method, ...parameters) => {
    const outcome = await page.evaluate(
      async ([name, list]) => {
        // Methods that take time have their options last; progress travels beside them.
        const withProgress = list.map((value) => {
          const { progress, ...rest } = value !== null && typeof value === 'object' ? value : {};
          return progress === true ? { ...rest, onProgress: window.secateurProgress } : value;
        });
        try {
          const value = name === 'ready' ? await window.lab.ready : await window.lab[name](...withProgress);
          return { value };
        } catch (error) {
          return { failure: { code: error.code ?? 'internal', message: error.message, remedy: error.remedy ?? '' } };
        }
      },
      [method, parameters],
    );
    if (outcome.failure) throw new PageError(outcome.failure);
    return outcome.value;
  };
  await call('ready');
  return call;
}

/** Options of a task: what is undefined stays out, so that the laboratory's defaults hold. */
function task(options = {}) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), progress: true };
}

/** The plans that the options ask for, each with a name. */
async function plans(call, { cut, criteria, plus, width, seed }) {
  if (cut === null) return [];
  if (cut.blocks)
    return [{ name: `without ${cut.blocks.join(', ')}`, plan: await call('plan', { blocks: cut.blocks }) }];
  const made = [];
  for (const criterion of criteria) {
    made.push({
      name: `by ${criterion}${plus ? '+' : ''}`,
      plan: await call('plan', { criterion, plus, ...cut }, task()),
    });
  }
  for (const method of width === null ? [] : width.methods) {
    const plan = await call(
      'plan',
      { width: method, ...cut, ...width.how, ...(seed === undefined ? {} : { seed }) },
      task(),
    );
    made.push({ name: `by ${method}${width.how.asPublished ? ' as published' : ''}`, plan });
  }
  return made;
}

/** One row per variant: those of --compare are timed in turns, all in the same rounds. */
async function compare(call, { compare: asked, repair, evaluateOn, addBosToEvery, ...timing }, runtime) {
  const { promptTokens, newTokens, warmups, runs } = timing;
  const evaluation = { corpus: evaluateOn, addBosToEvery };
  await call('compare', task({ ...asked, evaluation, repair, runtime, promptTokens, newTokens, warmups, runs }));
}

/** Trains every variant, or the base where there is none, by each method: the ids of the results. */
async function retrain(call, variants, { trainings, seqLen, seed, evaluateOn, addBosToEvery }) {
  const trained = [];
  const parents = variants.length > 1 ? variants.slice(1) : variants;
  for (const id of trainings === null ? [] : parents) {
    const { name } = (await call('variants')).find((each) => each.id === id);
    for (const { corpus, ...request } of trainings) {
      // Where rows are held out, they are the evaluation.
      const evaluation = request.heldOut === undefined ? { corpus: evaluateOn, addBosToEvery } : undefined;
      const made = await call(
        'retrain',
        id,
        task({ ...request, corpus, seqLen, seed, evaluation, name: `${name}, ${request.method}` }),
      );
      trained.push(made.variant.id);
    }
  }
  return trained;
}

/** Load, calibrate, score, plan, measure: returns the laboratory's report. */
export async function runJob(call, source, options) {
  const device = await call('device');
  await call('load', source, task());
  const { samples, seqLen, seed, calibrateOn, evaluateOn, addBosToEvery } = options;
  await call('calibrate', task({ corpus: calibrateOn, samples, seqLen, seed, addBosToEvery }));
  for (const criterion of options.criteria) {
    await call('importance', criterion, task({ plus: options.plus, seed: options.seed }));
  }
  for (const method of options.width?.methods ?? [])
    await call('widthImportance', method, task({ seed: options.seed }));
  const variants = ['base'];
  const { repair } = options;
  for (const { name, plan } of await plans(call, options)) {
    const called = repair === undefined ? name : `${name}, repair: ${repair}`;
    variants.push((await call('variant', plan, task({ name: called, repair }))).id);
  }
  variants.push(...(await retrain(call, variants, options)));
  const hardware = device !== null && !device.software;
  const { precision } = options;
  const automatic = hardware || precision === 'f16' ? 'ort-webgpu' : 'ort-wasm';
  const runtime = options.runtime === 'auto' ? automatic : options.runtime;
  const { promptTokens, newTokens, warmups, runs } = options;
  const timing = (against) => task({ promptTokens, newTokens, warmups, runs, runtime, precision, against });
  const heldOut = { corpus: evaluateOn, addBosToEvery };
  const ids = [...new Set(variants)];
  for (const id of ids) {
    if (device !== null) await call('perplexity', id, task({ ...heldOut, runtime: 'wgsl' }));
    if (runtime === 'none') continue;
    await call('perplexity', id, task({ ...heldOut, runtime, precision }));
    if (!options.latency || (id === 'base' && ids.length > 1)) continue;
    // Each variant alternately with the base, which is timed again with each: only so is a speed-up measured. One run has none.
    const against = id === 'base' || runs < 2 ? undefined : 'base';
    if (id !== 'base' && against === undefined) await call('latency', 'base', timing());
    await call('latency', id, timing(against));
  }
  const ort = runtime === 'none' ? undefined : runtime;
  if (options.compare !== null) await compare(call, options, ort);
  const best = options.best === null ? null : await call('best', task({ ...options.best, runtime: ort, seed }));
  return { report: await call('report'), comparison: await call('comparison'), best };
}
