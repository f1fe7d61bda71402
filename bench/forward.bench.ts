import { test } from 'vitest';
import { benchForward } from './forward';
import { onTestDevice } from './harness';

test('forward passes and perplexities', () => onTestDevice(benchForward));
