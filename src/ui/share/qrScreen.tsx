/** @file A QR code on the whole screen, for a classroom. Escape and a click close it. */
import { useCallback, useEffect, useRef } from 'react';
import { useFullScreen } from '../parts/useFullScreen';
import { useLab } from '../parts/useLab';
import { QrCode } from './qrCode';

export function QrScreen({ url, onClose }: { url: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useLab((state) => state.words.title || 'Report');
  const close = useCallback(() => dialog.current?.close(), []);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  useFullScreen(dialog, close);
  return (
    <dialog ref={dialog} className="full-screen qr-screen" aria-label="QR code, full screen" onClose={onClose}>
      <button type="button" aria-label="Close the QR code" onClick={close}>
        <QrCode text={url} label="QR code of the link" />
        <span>{title}</span>
      </button>
    </dialog>
  );
}
