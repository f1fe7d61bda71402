/** @file ONNX Runtime Web, loaded when first needed, from files that our own page serves. */
import type * as OnnxRuntime from 'onnxruntime-web';
import { LabError } from '../errors';

/** The part of the library that we use; onnxruntime-node has the same one. */
export type OrtLibrary = Pick<typeof OnnxRuntime, 'InferenceSession' | 'Tensor'>;
export type OrtTensor = OnnxRuntime.Tensor;
export type OrtInferenceSession = OnnxRuntime.InferenceSession;

export interface LoadedOrt {
  readonly ort: OrtLibrary;
  /** Name and version, e.g. 'onnxruntime-web 1.30.0'. */
  readonly version: string;
  /** wasm threads of CPU sessions. */
  readonly threads: number;
}

let loaded: Promise<LoadedOrt> | undefined;

/** Threads need SharedArrayBuffer, which the browser gives to cross-origin isolated pages only. */
function wasmThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 4) : 1;
}

async function load(): Promise<LoadedOrt> {
  const { ort, moduleUrl, wasmUrl } = await ('Suspending' in WebAssembly
    ? import('./ortJspi')
    : import('./ortAsyncify'));
  const threads = wasmThreads();
  const absolute = (url: string) => new URL(url, globalThis.location.href).href;
  ort.env.wasm.wasmPaths = { mjs: absolute(moduleUrl), wasm: absolute(wasmUrl) };
  ort.env.wasm.numThreads = threads;
  return { ort, version: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`, threads };
}

/** Sessions run in this library from now on, in place of the one that the page ships; null goes back to that one. For tests in Node. */
export function provideOrt(library: LoadedOrt | null): void {
  loaded = library === null ? undefined : Promise.resolve(library);
}

/** The library, once per worker. */
export function loadOrt(): Promise<LoadedOrt> {
  loaded ??= load().catch((thrown: unknown) => {
    loaded = undefined;
    throw new LabError(
      'runtime',
      `ONNX Runtime could not be loaded: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      'Check the connection to this page and reload it.',
      { cause: thrown },
    );
  });
  return loaded;
}

const memoryWords = /out of memory|bad_alloc|allocat|invalid array (buffer )?length|memory access out of bounds/i;
const lossWords = /device (is|was) lost|lost device|device is destroyed/i;

/** What ONNX Runtime threw, as a LabError. `doing` begins the sentence, e.g. 'Creating the session'. */
export function ortError(thrown: unknown, doing: string): LabError {
  if (thrown instanceof LabError) return thrown;
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  if (lossWords.test(said)) {
    return new LabError(
      'device-lost',
      `${doing} failed: the GPU device was lost. ${said}`,
      'Try again: the lab opens a new device.',
      {
        cause: thrown,
      },
    );
  }
  if (memoryWords.test(said)) {
    return new LabError(
      'out-of-memory',
      `${doing} ran out of memory: ${said}`,
      'Close other tabs, use a smaller batch or shorter sequences, or remove more of the model.',
      { cause: thrown },
    );
  }
  return new LabError(
    'runtime',
    `${doing} failed in ONNX Runtime: ${said}`,
    'Try the other runtime (WebGPU or wasm). If it fails again, reload the page.',
    { cause: thrown },
  );
}
