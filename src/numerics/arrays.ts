/** @file The array types that the references take: what a checkpoint holds, or float64 for the reference itself. */

/** Row-major numbers of a tensor. References read either width and sum in float64. */
export type Floats = Float32Array | Float64Array;
