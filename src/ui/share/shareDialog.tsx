/** @file The dialog for sharing: the author's words, the link with its QR code, and files. */
import './share.css';
import { FailureNote } from '../parts/failureNote';
import { Modal } from '../parts/modal';
import { useLab, useTask } from '../parts/useLab';
import { FilesPart } from './filesPart';
import { LinkPart } from './linkPart';
import { useShared } from './useShared';
import { WordsPart } from './wordsPart';

export default function ShareDialog({ onClose }: { onClose: () => void }) {
  const { record, link, failure } = useShared();
  const reading = useTask('share');
  const isFromFiles = useLab((state) => state.model?.id.startsWith('files:') ?? false);
  return (
    <Modal title="Share this report" className="share" onClose={onClose}>
      <p className="sub">
        The link contains the report itself: the model’s name, the scores, variants and measurements, the name of your
        GPU, and your words. It contains no weights, no texts and no access token. Nothing is uploaded: browsers do not
        send the part behind “#” to the server.
      </p>
      {isFromFiles && (
        <p className="note">
          The model comes from files on this device, so the link cannot name an address for it. Readers see all numbers.
          To repeat them they need the same files.
        </p>
      )}
      <WordsPart />
      {reading.phase === 'failed' && <FailureNote title="The report could not be read" failure={reading.failure} />}
      {failure ? <FailureNote title="There is no link for this report" failure={failure} /> : <LinkPart link={link} />}
      <FilesPart record={record} link={link?.url ?? null} />
    </Modal>
  );
}
