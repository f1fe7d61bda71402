/** @file A modal dialog of the browser: Escape closes it, the page behind it is inert, and the focus returns to its opener. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Icon } from './icons';
import './modal.css';

interface Props {
  title: string;
  className?: string;
  onClose: () => void;
  children: ReactNode;
}

export function Modal({ title, className = '', onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`modal ${className}`}
      aria-labelledby={heading}
      // React lets 'close' bubble: a dialog within this one closes alone.
      onClose={({ target, currentTarget }) => target === currentTarget && onClose()}
    >
      <div className="bar">
        <h2 id={heading}>{title}</h2>
        <span className="spring" />
        <button type="button" className="button quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}
