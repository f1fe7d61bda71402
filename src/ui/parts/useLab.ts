/** @file The page reads the laboratory's store through these hooks and writes to it through commands only. */
import { useStore } from 'zustand';
import { store } from '../../lab/page/app';
import type { LabState, TaskKey, TaskState } from '../../lab/page/store';

const idle: TaskState = { phase: 'idle' };

/** A slice of the store; select the smallest. */
export function useLab<T>(select: (state: LabState) => T): T {
  return useStore(store, select);
}

/** State of one of the tasks that a person can wait for. */
export function useTask(key: TaskKey): TaskState {
  return useLab((state) => state.tasks[key] ?? idle);
}
