/** @file Whether a part of the page only shows a report: then nothing can be measured, and no hint says to. */
import { createContext, useContext } from 'react';

export const ReadOnlyContext = createContext(false);

export function useReadOnly(): boolean {
  return useContext(ReadOnlyContext);
}
