//! Tables of sorted keys, as TensorFlow writes the index of a checkpoint.
//! Source: LevelDB's `table_format.md`; `tensorflow/core/lib/io/table`.

use super::broken;
use crate::formats::OpenError;
use crate::formats::wire::varint;

/// The last bytes of a table.
const FOOTER: usize = 48;
const MAGIC: [u8; 8] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/// The type of a block and its checksum, which follow it.
const TRAILER: usize = 5;
/// Entries of a table, at most.
const MAX_ENTRIES: usize = 1 << 20;

/// Keys and values.
pub type Entries<'a> = Vec<(Vec<u8>, &'a [u8])>;

/// All keys and values, in the order of the keys.
pub fn entries(table: &[u8]) -> Result<Entries<'_>, OpenError> {
    let footer = table.len().checked_sub(FOOTER).map(|at| &table[at..]);
    let footer = footer.filter(|footer| footer.ends_with(&MAGIC));
    let mut handles = footer.ok_or_else(|| broken("its index is no table of keys"))?;
    let _meta = handle(&mut handles)?;
    let index = block(table, handle(&mut handles)?)?;
    let mut all = Vec::new();
    for (_, mut place) in block_entries(index)? {
        let data = block(table, handle(&mut place)?)?;
        all.extend(block_entries(data)?);
        if all.len() > MAX_ENTRIES {
            return Err(broken("its index has too many keys"));
        }
    }
    Ok(all)
}

/// Start and length of a block.
fn handle(bytes: &mut &[u8]) -> Result<(usize, usize), OpenError> {
    let mut number = || usize::try_from(varint(bytes)?).ok();
    let both = number().zip(number());
    both.ok_or_else(|| broken("its index is cut off"))
}

fn block(table: &[u8], (start, length): (usize, usize)) -> Result<&[u8], OpenError> {
    let end = start.checked_add(length);
    let whole = end.and_then(|end| table.get(start..end.checked_add(TRAILER)?));
    let whole = whole.ok_or_else(|| broken("its index is cut off"))?;
    if whole[length] != 0 {
        return Err(broken("its index is compressed, which is not read"));
    }
    Ok(&whole[..length])
}

/// The entries of one block. Each key begins with as many bytes of the key before it as it says.
fn block_entries(block: &[u8]) -> Result<Entries<'_>, OpenError> {
    let cut = || broken("a block of its index is cut off");
    let (rest, count) = block.split_last_chunk::<4>().ok_or_else(cut)?;
    let restarts = (u32::from_le_bytes(*count) as usize).checked_mul(4);
    let end = restarts.and_then(|restarts| rest.len().checked_sub(restarts));
    let mut rest = &rest[..end.ok_or_else(cut)?];
    let mut entries = Entries::new();
    let mut key = Vec::new();
    while !rest.is_empty() {
        let mut number = || usize::try_from(varint(&mut rest)?).ok();
        let lengths = [number(), number(), number()];
        let [Some(shared), Some(own), Some(length)] = lengths else {
            return Err(cut());
        };
        let (more, after) = rest.split_at_checked(own).ok_or_else(cut)?;
        let (value, after) = after.split_at_checked(length).ok_or_else(cut)?;
        if shared > key.len() || entries.len() > MAX_ENTRIES {
            return Err(cut());
        }
        key.truncate(shared);
        key.extend_from_slice(more);
        entries.push((key.clone(), value));
        rest = after;
    }
    Ok(entries)
}
