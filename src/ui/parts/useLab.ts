/** @file Hooks that read the laboratory's store. Components write to the store through commands only. */
import { useStore } from 'zustand';
import { store } from '../../lab/page/app';
import type { LabState, TaskKey, TaskState } from '../../lab/page/store';

const idle: TaskState = { phase: 'idle' };

/** A slice of the store; select the smallest one that is needed. */
export function useLab<T>(select: (state: LabState) => T): T {
  return useStore(store, select);
}

/** The state of a task. */
export function useTask(key: TaskKey): TaskState {
  return useLab((state) => state.tasks[key] ?? idle);
}
