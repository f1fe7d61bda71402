/** @file What train.mjs runs: reads what engine.py wrote to work/engine, trains, and writes work/engine/trained.f32. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openTestDevice } from '../../src/engine/testing/harness';
import { type Recipe, trainDemo } from './engineTraining';

interface Run extends Recipe {
  readonly steps: number;
  readonly batch: number;
  /** Token ids of a row. */
  readonly length: number;
}

export async function main(): Promise<void> {
  const folder = fileURLToPath(new URL('work/engine/', import.meta.url));
  const run = JSON.parse(readFileSync(`${folder}run.json`, 'utf8')) as Run;
  const bytes = Uint8Array.from(readFileSync(`${folder}start.f32`));
  const flat = new Float32Array(bytes.buffer);
  const tokens = new Uint16Array(Uint8Array.from(readFileSync(`${folder}rows.u16`)).buffer);
  const { batch, length } = run;
  const rows = (step: number): number[][] =>
    Array.from({ length: batch }, (_, row) => {
      const first = (step * batch + row) * length;
      return [...tokens.subarray(first, first + length)];
    });
  const context = await openTestDevice();
  console.log(`${context.info.adapter}: ${run.steps} steps of ${batch} × ${length - 1} tokens`);
  writeFileSync(`${folder}loss.csv`, '');
  const began = performance.now();
  await trainDemo(context, flat, run.steps, rows, run, (step, loss) => {
    const seconds = (performance.now() - began) / 1000;
    const row = [step, ((step + 1) * batch * (length - 1)).toFixed(0), seconds.toFixed(0), loss.toFixed(5)].join();
    appendFileSync(`${folder}loss.csv`, `${row}\n`);
    console.log(row);
  });
  writeFileSync(`${folder}trained.f32`, new Uint8Array(flat.buffer));
}
