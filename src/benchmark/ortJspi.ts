/** @file The JSPI build (16.8 MB of wasm), for browsers whose WebAssembly can suspend. */
import moduleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';

export * as ort from 'onnxruntime-web/jspi';
export { moduleUrl, wasmUrl };
