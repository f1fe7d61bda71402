/** @file The Asyncify build (26.8 MB of wasm), for every other browser. */
import moduleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';

export * as ort from 'onnxruntime-web/webgpu';
export { moduleUrl, wasmUrl };
