/** @file Damaged safetensors files: the verdict of the format's own parser, and no tensor that reads another's bytes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { randomInt } from '../../src/numerics/random';
import { HeaderReader } from '../../src/shards/formats/headerReader';
import type { SafetensorsHeader } from '../../src/shards/formats/safetensors';
import { forEachMutation, fuzzTimeout } from './mutate';
import { mutant, wholeFile } from './safetensorsMutants';

/** Seeds up to here were checked against safetensors 0.8 (Rust): those of the file it accepts. */
const judged = 6000;
const accepted = new Set(JSON.parse(readFileSync('tools/fuzz/safetensorsVerdicts.json', 'utf8')) as number[]);

/** The header of a file that arrives in pieces; null where it is refused. */
function read(file: Uint8Array<ArrayBuffer>, step: number): SafetensorsHeader | null {
  const reader = new HeaderReader('x.safetensors', file.length);
  try {
    for (let at = 0; at < file.length && !reader.header; at += step) reader.push(file.slice(at, at + step));
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LabError);
    const { code, message, remedy } = thrown as LabError;
    expect(code).toBe('bad-safetensors');
    expect(message.length).toBeLessThan(400);
    expect(remedy).not.toBe('');
    return null;
  }
  return reader.header;
}

test(
  'damaged headers and prefixes',
  async () => {
    const whole = await wholeFile();
    expect(read(whole, 7)?.tensors).toHaveLength(5);
    let taken = 0;
    await forEachMutation((random, seed) => {
      const file = mutant(whole, seed);
      const header = read(file, 1 + randomInt(random, 64));
      if (seed <= judged) expect(header !== null).toBe(accepted.has(seed));
      if (!header) return;
      taken += 1;
      // Said again: all bytes of the data belong to one tensor, as many as its dims say.
      const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
      const owners = new Uint8Array(file.length - start);
      for (const { begin, end } of header.tensors) {
        for (let at = begin; at < end; at += 1) owners[at - start]! += 1;
      }
      expect(owners.every((count) => count === 1)).toBe(true);
      expect(header.fileBytes).toBe(file.length);
    });
    expect(taken).toBeGreaterThan(0);
  },
  fuzzTimeout,
);
