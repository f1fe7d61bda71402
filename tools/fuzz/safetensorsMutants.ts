/** @file Damaged safetensors files by seed: of every second one the bytes are changed, of the others the header's JSON. */
import { createRandom, mixSeed, randomInt } from '../../src/numerics/random';
import { safetensorsParts } from '../../src/shards/formats/safetensors';
import { mutateBytes, mutateJson, pick, pythonJson } from './mutate';

const tensors = [
  { name: 'model.embed_tokens.weight', dtype: 'F32', dims: [3, 2] },
  { name: 'model.norm.weight', dtype: 'F16', dims: [2] },
  { name: 'mask', dtype: 'BOOL', dims: [3] },
  { name: 'scalar', dtype: 'I64', dims: [] },
  { name: 'nothing', dtype: 'BF16', dims: [0, 4] },
];
const sizes: Record<string, number> = { F32: 4, F16: 2, BOOL: 1, I64: 8, BF16: 2 };

/** A small file with tensors of several types. */
export async function wholeFile(): Promise<Uint8Array<ArrayBuffer>> {
  const written = tensors.map(({ name, dtype, dims }) => {
    const size = dims.reduce((a, b) => a * b, sizes[dtype]!);
    return { name, dtype, dims, data: Uint8Array.from({ length: size }, (_, i) => i + 1) };
  });
  return new Uint8Array(await new Blob(safetensorsParts(written, { format: 'pt' })).arrayBuffer());
}

/** The damaged file of a seed. */
export function mutant(whole: Uint8Array<ArrayBuffer>, seed: number): Uint8Array<ArrayBuffer> {
  const random = createRandom(mixSeed(seed, 8));
  const length = Number(new DataView(whole.buffer).getBigUint64(0, true));
  const header = whole.subarray(8, 8 + length);
  if (seed % 2 === 1) {
    // Data may be anything: changes there are no damage. The prefix and the header are.
    const head = mutateBytes(random, whole.subarray(0, 8 + length));
    return joined(head, whole.subarray(8 + length));
  }
  const changed = mutateJson(random, JSON.parse(new TextDecoder().decode(header)));
  const json = new TextEncoder().encode(pythonJson(changed) + ' '.repeat(randomInt(random, 9)));
  const prefix = new Uint8Array(8);
  const stated = json.length + pick(random, [0, 0, 0, 0, 0, 0, 0, 1, -1]);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(Math.max(0, stated)), true);
  return joined(prefix, json, whole.subarray(8 + length));
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
