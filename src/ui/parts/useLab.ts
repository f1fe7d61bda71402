/** @file Hooks that read the laboratory's store. Components write to the store through commands only. */
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import { store } from '../../lab/page/app';
import type { LabState, LabStore, TaskKey, TaskState } from '../../lab/page/store';

const idle: TaskState = { phase: 'idle' };

/** The store that components read: the laboratory's, or one that holds what a report says. */
export const LabStoreContext = createContext<LabStore>(store);

/** A slice of the store; select the smallest one that is needed. */
export function useLab<T>(select: (state: LabState) => T): T {
  return useStore(useContext(LabStoreContext), select);
}

/** The state of a task. */
export function useTask(key: TaskKey): TaskState {
  return useLab((state) => state.tasks[key] ?? idle);
}
