/**
 * Odd checkpoints, and what transformers makes of them (make.py wrote cases.json): each is loaded as a user would load
 * its files, and the float64 model says which number it gives.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { layerRoles, modelRoles } from '../../src/model/shape';
import { type StoredDtype, type TensorRef, toFloat32 } from '../../src/model/weights';
import { f32ToBf16, f32ToF16 } from '../../src/numerics/float16';
import { modelMeanNll, type ReferenceLayerWeights, type ReferenceWeights } from '../../src/numerics/model';
import { loadModel } from '../../src/shards/download/load';
import { safetensorsParts, type TensorToWrite } from '../../src/shards/formats/safetensors';
import { openSource } from '../../src/shards/sources/openSource';
import type { Checkpoint } from '../../src/shards/store/checkpoint';
import { newStore } from '../../src/shards/testing/memory';
import { tinyTensors } from '../../src/shards/testing/tinyModel';

interface Change {
  readonly drop?: string;
  readonly rename?: readonly (readonly [string, string])[];
  readonly add?: Readonly<Record<string, readonly [string, number]>>;
  readonly make?: Readonly<Record<string, readonly number[]>>;
  readonly cast?: readonly (readonly [string, StoredDtype])[];
}

interface Case {
  readonly name: string;
  readonly base: string;
  readonly config: object;
  /** Text before the last brace of config.json. */
  readonly append: string;
  readonly files: Readonly<Record<string, string | { readonly tensors: Change }>>;
  readonly reference: { readonly nll: number | null } | { readonly raises: string } | { readonly made: string };
  readonly ours?: { readonly refused: string; readonly named: string } | { readonly loads: string };
  /** A part of what the notes say; empty where there are none. */
  readonly notes?: string;
}

const { sequences, common, bases, cases } = JSON.parse(readFileSync('tools/checkpoints/cases.json', 'utf8')) as {
  sequences: number[][];
  common: object;
  bases: Record<string, object>;
  cases: Case[];
};

const prefix: Record<string, string> = { gemma3_text: 'Gemma 3', gemma2: 'Gemma 2' };

/** The formula of make.py: the same float32 in both. */
function values(name: string, count: number): Float32Array<ArrayBuffer> {
  let seed = 0;
  for (const byte of new TextEncoder().encode(name)) seed = (Math.imul(seed, 31) + byte) >>> 0;
  return Float32Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i, 2654435761) + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 2246822519) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 3266489917) >>> 0;
    return Math.fround(Math.fround((x >>> 8) / 2 ** 24 - 0.5) + (name.includes('norm') ? 1 : 0));
  });
}

type Values = { readonly dims: readonly number[]; readonly data: Float32Array<ArrayBuffer> };

function wholeOf(base: string): Map<string, Values> {
  const config = { model_type: base, ...common, ...bases[base], tie_word_embeddings: true };
  return new Map(
    tinyTensors(config).map(({ name, dims }) => [
      name,
      {
        dims,
        data: values(
          name,
          dims.reduce((a, b) => a * b, 1),
        ),
      },
    ]),
  );
}

function changed(base: ReadonlyMap<string, Values>, change: Change): TensorToWrite[] {
  const { drop = '^$', rename = [], add = {}, make = {}, cast = [] } = change;
  let found = new Map([...base].filter(([name]) => !new RegExp(drop).test(name)));
  for (const [pattern, to] of rename) {
    found = new Map([...found].map(([name, tensor]) => [name.replace(new RegExp(pattern), to), tensor]));
  }
  for (const [name, [source, scale]] of Object.entries(add)) {
    const { dims, data } = base.get(source)!;
    found.set(name, { dims, data: data.map((value) => value * Math.fround(scale)) });
  }
  for (const [name, dims] of Object.entries(make)) {
    const count = dims.reduce((a, b) => a * b, 1);
    found.set(name, { dims, data: values(name, count) });
  }
  return Array.from(found, ([name, { dims, data }]) => {
    const dtype = cast.findLast(([pattern]) => new RegExp(pattern).test(name))?.[1] ?? 'F32';
    const stored = dtype === 'F32' ? data : dtype === 'F16' ? f32ToF16(data) : f32ToBf16(data);
    return { name, dims, dtype, data: new Uint8Array(stored.buffer) };
  });
}

function filesOf({ base, config, append, files }: Case): File[] {
  const merged = Object.entries({ model_type: base, ...common, ...bases[base], ...config });
  const text = JSON.stringify(Object.fromEntries(merged.filter(([, value]) => value !== '$delete')));
  const whole = wholeOf(base);
  const made = Object.entries(files).map(([path, content]): File => {
    const parts = typeof content === 'string' ? [content] : safetensorsParts(changed(whole, content.tensors));
    return inFolder(path, parts);
  });
  return [inFolder('config.json', [`${text.slice(0, -1)}${append}}`]), ...made];
}

function inFolder(path: string, parts: BlobPart[]): File {
  const file = new File(parts, path.split('/').at(-1)!, { lastModified: 1 });
  Object.defineProperty(file, 'webkitRelativePath', { value: `m/${path}` });
  return file;
}

async function meanNll(checkpoint: Checkpoint): Promise<number> {
  const { shape } = checkpoint.config;
  const numbers = async (tensor: TensorRef): Promise<Float32Array> =>
    toFloat32(await checkpoint.read(tensor), tensor.dtype);
  const layers = await Promise.all(
    shape.layers.map(async (layer) => {
      const roles = layerRoles(layer).map(
        async (role) => [role, await numbers(checkpoint.layerTensor(role, layer.source))] as const,
      );
      return Object.fromEntries(await Promise.all(roles)) as unknown as ReferenceLayerWeights;
    }),
  );
  const outside = await Promise.all(
    modelRoles(shape).map(async (role) => [role, await numbers(checkpoint.modelTensor(role))] as const),
  );
  return modelMeanNll(shape, { layers, ...Object.fromEntries(outside) } as unknown as ReferenceWeights, sequences);
}

test.each(cases.map((each) => [`${prefix[each.base] ?? each.base}: ${each.name}`, each] as const))(
  '%s',
  async (_, each) => {
    const load = async () =>
      loadModel(
        await openSource(filesOf(each), { baseUrl: 'https://page.test/' }),
        await newStore({ chunkBytes: 4096 }),
      );
    const { reference, ours, notes } = each;
    if (ours && 'refused' in ours) {
      const error = await load().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(LabError);
      const { code, message, remedy } = error as LabError;
      expect(code).toBe(ours.refused);
      expect(message).toContain(ours.named);
      expect(message.length).toBeLessThan(600);
      expect(remedy).not.toBe('');
      return;
    }
    const { checkpoint, stored } = await load();
    const nll = await meanNll(checkpoint);
    if (ours) expect(nll).toBeGreaterThan(0);
    else if ('nll' in reference && reference.nll !== null)
      expect(Math.abs(nll - reference.nll)).toBeLessThan(2e-5 * nll);
    else throw new Error(`transformers gives no number: ${JSON.stringify(reference)}; say what ours is`);
    const said = stored.summary.notes ?? [];
    if (notes === '') expect(said).toEqual([]);
    else if (notes !== undefined) expect(said.join('\n')).toContain(notes);
    for (const note of said) expect(note.length).toBeLessThan(400);
  },
);
