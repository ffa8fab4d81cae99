//! Right checksums for bytes that were made up, so that what lies behind the checksums is tried.

use twox_hash::XxHash3_64;

const HEAD: usize = 192;
const ENTRY: usize = 32;
const LOG_HEAD: usize = 96;
const RECORD_HEAD: usize = 48;

/// Makes the checksums of a saved index right, and its length.
pub fn seal(bytes: &mut [u8]) {
    if bytes.len() < HEAD {
        return;
    }
    let len = bytes.len() as u64;
    put(bytes, 16, len);
    let entries = number(bytes, 8) >> 32;
    let Ok(table) = usize::try_from(entries).map(|entries| HEAD + entries.min(64) * ENTRY) else {
        return;
    };
    if table > bytes.len() {
        return;
    }
    for entry in (HEAD..table).step_by(ENTRY) {
        let (offset, len) = (number(bytes, entry + 8) as usize, number(bytes, entry + 16) as usize);
        let section = offset.checked_add(len).and_then(|end| bytes.get(offset..end));
        if let Some(checksum) = section.map(XxHash3_64::oneshot) {
            put(bytes, entry + 24, checksum);
        }
    }
    put(bytes, 24, 0);
    let checksum = XxHash3_64::oneshot(&bytes[..table]);
    put(bytes, 24, checksum);
}

/// Makes the checksums of a log right, and the numbers of its records.
pub fn seal_log(bytes: &mut [u8]) {
    if bytes.len() < LOG_HEAD {
        return;
    }
    let checksum = XxHash3_64::oneshot(&bytes[..LOG_HEAD - 8]);
    put(bytes, LOG_HEAD - 8, checksum);
    let seed = XxHash3_64::oneshot(&bytes[..LOG_HEAD]);
    let (mut at, mut last) = (LOG_HEAD, number(bytes, 72));
    while at + RECORD_HEAD <= bytes.len() {
        let len = (number(bytes, at + 8) as usize).min(bytes.len() - at - RECORD_HEAD);
        last = last.wrapping_add(1);
        put(bytes, at + 16, last);
        let body = &bytes[at + RECORD_HEAD..][..len];
        let body = XxHash3_64::oneshot_with_seed(seed, body);
        put(bytes, at + 32, body);
        let head = XxHash3_64::oneshot_with_seed(seed, &bytes[at..at + 40]);
        put(bytes, at + 40, head);
        at += RECORD_HEAD + len;
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn put(bytes: &mut [u8], at: usize, number: u64) {
    bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
}
