/** @file Multiple-choice tasks of a session: the engine's likelihoods are those of the float64 model, and rows keep the results. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { readModel } from '../../engine/testing/testWeights';
import { modelNll } from '../../numerics/model';
import { grade } from '../../tasks/grade';
import { readTask } from '../../tasks/readTask';
import { taskSequences } from '../../tasks/sequences';
import { openTokenizer } from '../../text/tokenizer';
import type { Session } from './session';
import { fixtureFolder, inNode, sessionWith } from './testing/nodeSession';

const folder = fixtureFolder('tiny-a');
const json = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));

/** Contexts and answers of different lengths, one without context. */
const questions = [
  { context: 'the hedge was cut back for the ranch', choices: ['and the branches', 'with a hat', 'on'], label: 1 },
  { goal: 'cut the hedge', sol1: 'with the blades', sol2: 'with bread and butter, for the whole evening', label: 0 },
  { sentence_good: 'she marks the branch.', sentence_bad: 'she mark the branch.' },
  { context: 'the ranch', choices: ['was', 'is', 'has', 'had', 'will be sold'], label: 4 },
];
const file = (): File => new File([questions.map((question) => JSON.stringify(question)).join('\n')], 'ranch.jsonl');

let session: Session;
inNode();
beforeAll(async () => {
  session = await sessionWith('tiny-a');
});

test.each(['wgsl', 'ort-wasm'] as const)(
  '%s gives every answer the likelihood of the float64 model',
  async (runtime) => {
    const { shape, reference } = readModel(folder);
    const tokenizer = openTokenizer(json('tokenizer.json'), json('tokenizer_config.json'), shape.vocab);
    const task = await readTask(file());
    const asked = await taskSequences(tokenizer, task, shape.maxPositions);
    const expected = asked.map(({ sequences, firstTargets }) =>
      sequences.map((tokens, choice) => {
        const losses = modelNll(shape, reference, tokens).slice(firstTargets[choice]! - 1);
        return -losses.reduce((a, b) => a + b, 0);
      }),
    );
    const { answers, ...found } = await session.evaluate({}, 'base', { task: file(), runtime });
    const { answers: wanted, ...graded } = grade(task.items, expected);
    expect(found).toMatchObject({ task: 'ranch.jsonl', ...graded });
    answers.forEach(({ logLikelihoods, ...answer }, index) => {
      const { logLikelihoods: sums, ...rest } = wanted[index]!;
      expect(answer).toEqual(rest);
      logLikelihoods.forEach((sum, choice) => void expect(Math.abs(sum - sums[choice]!)).toBeLessThan(1e-4));
    });
    const [row] = await session.comparison({});
    expect(row!.tasks).toEqual([found]);
  },
);

test('a variant is asked the same questions, and a newer result of a task replaces the older', async () => {
  const model = (await session.comparison({}))[0]!.plan.model;
  const plan = { version: 1 as const, model, removeBlocks: [2], removeAttention: [], removeMlp: [] };
  const { id } = await session.variant({}, plan, {});
  const whole = await session.evaluate({}, 'base', { task: file() });
  await session.evaluate({}, id, { task: file(), limit: 2 });
  const { answers: _, ...cut } = await session.evaluate({}, id, { task: file() });
  expect(cut).toMatchObject({ hash: whole.hash, items: 4 });
  const row = (await session.comparison({})).find(({ variant }) => variant === id);
  expect(row!.tasks).toEqual([cut]);
});

test('a call may be cancelled, and refuses what is no task', async () => {
  const signal = AbortSignal.abort();
  await expect(session.evaluate({ signal }, 'base', { task: file() })).rejects.toMatchObject({ code: 'aborted' });
  await expect(session.evaluate({}, 'base', { task: 'piqa' })).rejects.toMatchObject({
    code: 'bad-argument',
    message: "task: expected 'story-endings' or a file of questions, got 'piqa'.",
  });
  await expect(session.evaluate({}, 'v99', { task: file() })).rejects.toMatchObject({ code: 'not-found' });
});
