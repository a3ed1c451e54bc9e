//! The little of DER that keys are wrapped in.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// `SEQUENCE { OID rsaEncryption, NULL }`
const RSA_ENCRYPTION: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// A PKCS#1 private key as PKCS#8.
pub(super) fn pkcs8_of_pkcs1(pkcs1: &[u8]) -> Vec<u8> {
    let key = wrap(OCTET_STRING, pkcs1);
    wrap(SEQUENCE, &[&[INTEGER, 1, 0], RSA_ENCRYPTION, &key].concat())
}

/// The cipher text in an `EncryptedPrivateKeyInfo`.
pub(super) fn encrypted_key(info: &[u8]) -> Option<&[u8]> {
    let (info, _) = read(SEQUENCE, info)?;
    let (_, rest) = read(SEQUENCE, info)?;
    Some(read(OCTET_STRING, rest)?.0)
}

/// Modulus and exponent of an RSA `SubjectPublicKeyInfo`, as signed big-endian numbers.
pub(super) fn rsa_numbers(public: &[u8]) -> Option<(&[u8], &[u8])> {
    let (info, _) = read(SEQUENCE, public)?;
    let (_, rest) = read(SEQUENCE, info)?;
    let (bits, _) = read(BIT_STRING, rest)?;
    let (key, _) = read(SEQUENCE, bits.get(1..)?)?;
    let (modulus, rest) = read(INTEGER, key)?;
    Some((modulus, read(INTEGER, rest)?.0))
}

/// The content of the element of kind `tag` at the start, and what follows it.
fn read(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (
                digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)),
                rest,
            )
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let digits = content.len().to_be_bytes();
    let digits = &digits[digits.iter().take_while(|&&digit| digit == 0).count()..];
    let length = match digits {
        [] => vec![0],
        [short @ 0..=0x7f] => vec![*short],
        long => [&[0x80 | u8::try_from(long.len()).unwrap_or(8)], long].concat(),
    };
    [&[tag], length.as_slice(), content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_is_read_again() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let wrapped = wrap(OCTET_STRING, &content);
            assert_eq!(read(OCTET_STRING, &wrapped), Some((content.as_slice(), [].as_slice())));
        }
        let wrapped = wrap(OCTET_STRING, &[7; 300]);
        assert_eq!(wrapped[..4], [OCTET_STRING, 0x82, 1, 44]);
        assert_eq!(read(SEQUENCE, &wrapped), None);
        assert_eq!(read(OCTET_STRING, &wrapped[..100]), None);
        assert_eq!(read(OCTET_STRING, &[OCTET_STRING, 0x85, 0, 0, 0, 0, 0]), None);
    }
}
