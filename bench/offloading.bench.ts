import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchOffloading } from './offloading';

test('blocks that stream', () => onTestDevice(benchOffloading));
