/** @file The QR code of a link: small in the dialog, on the whole screen for a classroom, and as a file. */
import { useCallback, useState } from 'react';
import { commands } from '../../lab/page/app';
import { qrCharacters, type Shareable } from '../../report/link/share';
import { integer } from '../parts/format';
import { Icon } from '../parts/icons';
import { qrDrawing, qrModules, qrSvg } from './qr';
import { QrCode } from './qrCode';
import { QrScreen } from './qrScreen';
import { useShared } from './useShared';

/** For a report whose link is too long for a QR code: the code of a shorter link, which leaves out what a reader needs least. */
export function ShorterQrPart() {
  const { link } = useShared(qrCharacters);
  if (!link) return null;
  if (link.characters <= qrCharacters) return <QrPart link={link} />;
  return (
    <p className="hint">
      QR codes are for links of at most {integer(qrCharacters)} characters: phones cannot read longer ones from a
      projector. Shorter notes and fewer variants make the link shorter.
    </p>
  );
}

/** @param link at most `qrCharacters` long */
export function QrPart({ link: { url, leftOut } }: { link: Shareable }) {
  const [large, setLarge] = useState(false);
  const close = useCallback(() => setLarge(false), []);
  const download = (): void => {
    const svg = qrSvg(qrDrawing(qrModules(url)));
    commands.saveReport(new File([svg], 'secateur-report-qr.svg', { type: 'image/svg+xml' }));
  };
  return (
    <div className="share-qr">
      <QrCode text={url} label="QR code of the link" />
      <div>
        <p className="hint">A phone that scans this code opens the report.</p>
        {leftOut.length > 0 && (
          <p className="hint">The code’s link is shorter than the one above, for a projector. {leftOut.join(' ')}</p>
        )}
        <div className="note-actions">
          <button type="button" className="button" onClick={() => setLarge(true)}>
            <Icon name="expand" /> Full screen
          </button>
          <button type="button" className="button" onClick={download}>
            <Icon name="download" /> QR code as SVG
          </button>
        </div>
      </div>
      {large && <QrScreen url={url} onClose={close} />}
    </div>
  );
}
