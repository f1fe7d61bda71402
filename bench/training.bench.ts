import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchTraining } from './training';

test('training steps', () => onTestDevice(benchTraining));
