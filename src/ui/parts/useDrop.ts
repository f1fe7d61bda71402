/** @file Dropping files on an element: whether something is held over it, and its handlers. */
import { type DragEvent, useState } from 'react';

interface DropHandlers {
  onDragOver: (event: DragEvent) => void;
  onDragLeave: () => void;
  onDrop: (event: DragEvent) => void;
}

/** `className` is that of the element, which shows that something is held over it; `handlers` are spread over its props. */
export function useDrop(
  name: string,
  onDropped: (dropped: DataTransfer) => void,
): { readonly className: string; readonly handlers: DropHandlers } {
  const [over, setOver] = useState(false);
  return {
    className: over ? `${name} drop over` : `${name} drop`,
    handlers: {
      onDragOver(event) {
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: () => setOver(false),
      onDrop(event) {
        event.preventDefault();
        setOver(false);
        onDropped(event.dataTransfer);
      },
    },
  };
}
