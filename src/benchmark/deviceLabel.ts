/** @file Which adapter and runtime produced a number. */

/** Which adapter and runtime produced a number. */
export interface DeviceLabel {
  /** e.g. 'google swiftshader' or 'apple m2'; 'CPU' for what ran without a GPU. */
  readonly adapter: string;
  /** A software adapter proves correctness, not speed. */
  readonly software: boolean;
  /** e.g. 'WGSL engine', 'onnxruntime-web 1.30.0 wasm'. */
  readonly runtime: string;
}
