import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchPrecision } from './precision';

test('precisions of ONNX Runtime', () => onTestDevice(benchPrecision));
