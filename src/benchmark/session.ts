/** @file A model opened in ONNX Runtime: its graph, its weights, and forward passes that never overlap. */
import { LabError, throwIfAborted } from '../errors';
import type { ModelShape } from '../model/shape';
import type { WeightSource } from '../model/weights';
import { buildGraph, type GraphPrecision, type ModelGraph, widenedAtOnce } from '../onnx/graph';
import type { TaskOptions } from '../task';
import { narrowed, narrowedFile, type ScaledSource } from '../weights/narrowed';
import { widenedFile } from '../weights/widened';
import { alternatingCache } from './alternatingCache';
import { emptyPast, growingCache, type KvCache, staticCache } from './cache';
import type { DeviceLabel } from './deviceLabel';
import { type Reading, readFailure, readInPieces } from './externalData';
import { type LoadedOrt, loadOrt, type OrtInferenceSession, type OrtTensor, ortError } from './ort';
import { precisionLabel } from './precisionNames';
import { enqueue } from './queue';
import { keepShaders } from './shaderKeeper';
import type { Watch } from './watchdog';

export type OrtRuntime = 'ort-webgpu' | 'ort-wasm';

export interface OpenOptions {
  shape: ModelShape;
  weights: WeightSource;
  runtime: OrtRuntime;
  /** The device to share; needed for 'ort-webgpu'. */
  device?: GPUDevice | undefined;
  /** The device's name for labels; without it the device's own `adapterInfo` speaks. */
  adapter?: { adapter: string; software: boolean } | undefined;
  /** Longest sequence to run. Default: the model's context, but 256 to 4096 (latency runs need no trained context). */
  maxPositions?: number | undefined;
  /** How weights are held and what is computed in. Default 'f32'; the others need a device with shader-f16. */
  precision?: GraphPrecision | undefined;
  /** Bytes of f32 that a 16-bit matrix is widened to at a time; default as in the graph. */
  widenUpTo?: number | undefined;
  /** Variant's name, kept in the graph. */
  name?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: TaskOptions['onProgress'];
  /** Another build of the library, e.g. onnxruntime-node. */
  library?: LoadedOrt | undefined;
  /**
   * Called before anything is opened, with the bytes of all weights as the runtime holds them: the session pool closes
   * others if they do not fit together.
   */
  evictIdle?: ((weightBytes: number) => Promise<void>) | undefined;
  /** Files of at most so many bytes together are given as bytes, larger ones are read piece by piece. Default 256 MiB. */
  bytesUpTo?: number | undefined;
}

export interface ForwardInput {
  /** [batch, seqLen], flat. */
  tokens: readonly number[];
  batch: number;
  /** Rows of batch·seqLen whose logits the caller needs. */
  rows: readonly number[];
  /** Continues these sequences; without it they start at position 0 and nothing is kept. */
  cache?: KvCache | undefined;
  /** Leaves the queue before the pass has begun; a pass that runs cannot be stopped. */
  signal?: AbortSignal | undefined;
}

/** logits [rows.length, vocab] */
export type Forward = (input: ForwardInput) => Promise<Float32Array>;

export interface OrtSession {
  readonly shape: ModelShape;
  readonly runtime: OrtRuntime;
  readonly device: DeviceLabel;
  /** The very graph that runs, as it can be downloaded. */
  readonly graph: ModelGraph;
  /** One forward pass, after all earlier work of every session. */
  readonly forward: Forward;
  /** Several forward passes with nothing between them. */
  exclusively<T>(job: (forward: Forward) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** GPU buffers of full length on WebGPU, growing elsewhere. Dispose it before the session is released. */
  openCache(batch: number, capacity: number): KvCache;
  release(): Promise<void>;
}

/** Up to this size files are given as bytes, which open faster; beyond, as Blobs that are read tensor by tensor. */
const smallFiles = 256 * 2 ** 20;
/** Files that are in memory anyway: bytes as long as they fit an array. */
const inMemory: ReadonlySet<string> = new Set([widenedFile, narrowedFile]);
const largestArray = 2 ** 31;
/** Together, where reading piece by piece has failed. */
const mostBytesAtOnce = 2 ** 30;
const wasmMemory = 4 * 2 ** 30;
const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;

function checkLimits({ report }: ModelGraph, { runtime, device }: OpenOptions): void {
  if (runtime === 'ort-wasm') {
    if (report.weightBytes < wasmMemory) return;
    throw new LabError(
      'unsupported-limit',
      `wasm can address ${megabytes(wasmMemory)}; the weights need ${megabytes(report.weightBytes)} in f32.`,
      'Use the WebGPU runtime, or remove more of the model.',
    );
  }
  if (device === undefined) {
    throw new LabError(
      'no-webgpu',
      'ONNX Runtime on WebGPU needs a GPU device, and there is none.',
      'Use the wasm runtime.',
    );
  }
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  if (report.largestWeightBytes <= limit) return;
  throw new LabError(
    'unsupported-limit',
    `This device binds at most ${megabytes(limit)}; the largest weight needs ${megabytes(report.largestWeightBytes)}${report.precision === 'f32' ? ' in f32' : ''}.`,
    'Use the wasm runtime, or a GPU with larger buffers.',
  );
}

interface ExternalFile {
  path: string;
  data: Blob | Uint8Array<ArrayBuffer>;
}

/** The files that the graph's weights lie in. `asBytes` says up to which size, and for which file, the whole is read now. */
async function externalData(
  graph: ModelGraph,
  reading: Reading,
  signal: AbortSignal | undefined,
  asBytes: (path: string, size: number, all: number) => boolean,
): Promise<ExternalFile[]> {
  const blobs: { path: string; data: Blob }[] = [];
  for (const path of graph.externalFiles) {
    blobs.push({ path, data: await graph.file(path, signal) });
    reading.alive(); // a widened file took its time
  }
  const all = blobs.reduce((sum, { data }) => sum + data.size, 0);
  const files: ExternalFile[] = [];
  for (const { path, data } of blobs) {
    throwIfAborted(signal, 'Opening the session');
    const whole = asBytes(path, data.size, all);
    files.push({ path, data: whole ? new Uint8Array(await data.arrayBuffer()) : readInPieces(data, path, reading) });
  }
  return files;
}

/**
 * Creates the session; where its weights could not be read, once more with the files opened again, as bytes where they
 * fit.
 */
async function createSession(
  graph: ModelGraph,
  { runtime, device, signal, bytesUpTo = smallFiles }: OpenOptions,
  { ort }: LoadedOrt,
): Promise<OrtInferenceSession> {
  const doing = 'Creating the session';
  const watch = { doing, patience: creationPatience(graph), gpuIdle: gpuIdleOf(device) };
  const attempt = (asBytes: (path: string, size: number, all: number) => boolean): Promise<OrtInferenceSession> =>
    enqueue(
      async (alive) => {
        const reading: Reading = { alive, failure: null };
        try {
          const data = await externalData(graph, reading, signal, asBytes);
          if (runtime === 'ort-webgpu' && device) await keepShaders(ort, device);
          throwIfAborted(signal, 'Opening the session');
          return await ort.InferenceSession.create(graph.model, {
            executionProviders: [runtime === 'ort-webgpu' && device ? { name: 'webgpu', device } : 'cpu'],
            externalData: data,
            logSeverityLevel: 3,
          });
        } catch (thrown) {
          throw readFailure(thrown, reading) ?? ortError(thrown, doing);
        }
      },
      { signal, watch },
    );
  try {
    return await attempt((path, size, all) => all <= bytesUpTo || (inMemory.has(path) && size < largestArray));
  } catch (thrown) {
    if (!(thrown instanceof LabError && thrown.code === 'storage')) throw thrown;
    console.warn(`${thrown.message} Retrying once.`);
    return attempt((_path, _size, all) => all <= mostBytesAtOnce);
  }
}

/** Beats for which the creation of a session may stay silent: 30 seconds, and one more for each 64 MiB. */
function creationPatience({ report }: ModelGraph): number {
  return 30 + Math.ceil(report.weightBytes / 2 ** 26);
}

/** The same of a run: two minutes for the first one, which compiles; later ones by the longest so far. */
function runPatience(longestMs: number | null): number {
  return longestMs === null ? 120 : Math.max(60, Math.ceil((10 * longestMs) / 1000));
}

function gpuIdleOf(device: GPUDevice | undefined): Watch['gpuIdle'] {
  return device && (() => device.queue.onSubmittedWorkDone());
}

function labelOf(options: OpenOptions, { version, threads }: LoadedOrt): DeviceLabel {
  if (options.runtime === 'ort-wasm') {
    const count = `${threads} thread${threads === 1 ? '' : 's'}`;
    return { adapter: 'CPU', software: false, runtime: `${version} wasm, ${count}` };
  }
  const info = options.device?.adapterInfo;
  const own = [info?.vendor, info?.architecture || info?.device].filter(Boolean).join(' ');
  const { adapter = own || 'unnamed GPU', software = /swiftshader|llvmpipe|lavapipe/i.test(own) } =
    options.adapter ?? {};
  return { adapter, software, runtime: `${version} webgpu${precisionLabel[options.precision ?? 'f32']}` };
}

/** The weights as the graph is to hold them. */
async function sourceFor({
  shape,
  weights,
  precision = 'f32',
  signal,
  onProgress,
}: OpenOptions): Promise<ScaledSource> {
  if (precision === 'f32') return weights;
  return narrowed(shape, weights, precision === 'f16' ? 'rounded' : 'exact', { signal, onProgress });
}

/** Tokens of the longest sequence that a session runs unless it is told: the model's context, but 256 to 4096. */
export function longestSequence({ maxPositions }: Pick<ModelShape, 'maxPositions'>): number {
  return Math.max(256, Math.min(maxPositions, 4096));
}

/** Builds the graph and creates the session. On WebGPU, shaders that any session compiled are kept for the next. */
export async function openSession(options: OpenOptions): Promise<OrtSession> {
  const { shape, runtime, device } = options;
  const maxPositions = options.maxPositions ?? longestSequence(shape);
  const source = await sourceFor(options);
  const { precision = 'f32', widenUpTo = widenedAtOnce, name = 'model' } = options;
  const graph = buildGraph(shape, source, { maxPositions, precision, widenUpTo, name });
  checkLimits(graph, options);
  const library = options.library ?? (await loadOrt());
  const { ort } = library;
  await options.evictIdle?.(graph.report.weightBytes + graph.report.widenedBytes);
  const session = await createSession(graph, options, library);
  const forward = forwardOf({ session, graph, shape, library });
  const gpuIdle = runtime === 'ort-webgpu' ? gpuIdleOf(device) : undefined;
  let longestMs: number | null = null;
  const timed =
    (alive: () => void): Forward =>
    async (input) => {
      const started = performance.now();
      const logits = await forward(input);
      longestMs = Math.max(longestMs ?? 0, performance.now() - started);
      alive();
      return logits;
    };
  const watch = (): Watch => ({ doing: 'A forward pass', patience: runPatience(longestMs), gpuIdle });
  let released: Promise<void> | undefined;
  return {
    shape,
    runtime,
    graph,
    device: labelOf(options, library),
    forward: (input) => enqueue((alive) => timed(alive)(input), { signal: input.signal, watch: watch() }),
    exclusively: (job, jobSignal) => enqueue((alive) => job(timed(alive)), { signal: jobSignal, watch: watch() }),
    openCache(batch, capacity) {
      checkLength(capacity, maxPositions);
      const spec = { ort, shape, report: graph.report, batch, capacity };
      if (runtime !== 'ort-webgpu' || !device) return growingCache(spec);
      return graph.report.staticCache ? staticCache(spec, device) : alternatingCache(spec, device);
    },
    release() {
      released ??= enqueue(() => session.release(), {
        watch: { doing: 'Releasing a session', patience: 60, gpuIdle },
      }).catch((thrown: unknown) => {
        // The whole runtime is lost, and this session with it.
        if (!(thrown instanceof LabError && thrown.code === 'no-answer')) throw thrown;
      });
      return released;
    },
  };
}

interface Opened {
  session: OrtInferenceSession;
  graph: ModelGraph;
  shape: ModelShape;
  library: LoadedOrt;
}

function checkLength(length: number, limit: number): void {
  if (length <= limit) return;
  throw new LabError(
    'bad-argument',
    `The session was opened for sequences of at most ${limit} tokens, got ${length}.`,
    'Use fewer tokens, or open the session for longer sequences.',
  );
}

function checkTokens({ tokens, batch, cache }: ForwardInput, vocab: number): void {
  const stray = tokens.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocab));
  if (stray !== undefined) {
    throw new LabError(
      'bad-argument',
      `Token id ${stray} is outside the vocabulary of ${vocab}.`,
      'Use the tokenizer that belongs to the model.',
    );
  }
  if (tokens.length > 0 && tokens.length % batch === 0 && (cache === undefined || cache.batch === batch)) return;
  throw new LabError(
    'internal',
    `Forward pass: ${tokens.length} tokens do not fit a batch of ${batch} with a cache of ${cache?.batch ?? batch}.`,
    'Please report this bug.',
  );
}

function forwardOf({ session, graph, shape, library: { ort } }: Opened): Forward {
  const { report } = graph;
  const reads = new Set(report.inputs.map(({ name }) => name));
  const int64 = (values: readonly number[], dims: readonly number[]): OrtTensor =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  const int32 = (values: readonly number[], dims: readonly number[]): OrtTensor =>
    new ort.Tensor('int32', Int32Array.from(values), dims);

  return async (input) => {
    const { tokens, batch, rows, cache } = input;
    checkTokens(input, shape.vocab);
    const seqLen = tokens.length / batch;
    const past = cache?.filled ?? 0;
    const total = past + seqLen;
    checkLength(total, Math.min(report.maxPositions, cache?.capacity ?? Number.POSITIVE_INFINITY));
    const feeds: Record<string, OrtTensor> = {
      ...(cache?.feeds() ?? emptyPast({ ort, shape, report, batch })),
      input_ids: int64(tokens, [batch, seqLen]),
      logit_rows: int64(rows, [rows.length]),
    };
    if (reads.has('seqlens_k')) {
      feeds['seqlens_k'] = int32(new Array<number>(batch).fill(total - 1), [batch]);
      feeds['total_sequence_length'] = int32([total], []);
    }
    if (report.positionIds) {
      const positions = tokens.map((_, row) => past + (row % seqLen));
      feeds['position_ids'] = int64(positions, [batch, seqLen]);
    }
    try {
      const outputs = await session.run(feeds, { logits: null, ...cache?.fetches(seqLen) });
      cache?.advance(seqLen, outputs as Record<string, OrtTensor>);
      return outputs['logits']?.data as Float32Array;
    } catch (thrown) {
      throw ortError(thrown, `A forward pass of ${batch} × ${seqLen} tokens`);
    }
  };
}
