use pco::DecompressorScratch;

/// Zeros behind a block. Where pco has fewer bytes before it than a batch of the longest numbers takes, it copies what is left to memory that it asks
/// for anew, each time; of blocks as short as ours that would be nearly every page.
pub(super) const PADDING: usize = 5_120;

/// What unpacking needs room for. Made once for many blocks, it is most of what unpacking a few of their pages would cost.
#[derive(Debug, Default)]
pub struct Room {
    /// A block without its head, and zeros.
    pub(super) data: Vec<u8>,
    /// Where it ends.
    pub(super) end: usize,
    pub(super) scratch: DecompressorScratch,
}

impl Room {
    /// Lays a block into the room, in place of the one before.
    pub(in crate::store::codec) fn lay(&mut self, block: &[u8]) -> &mut Self {
        self.data.clear();
        self.data.extend_from_slice(block);
        self.end = block.len();
        self.data.resize(block.len() + PADDING, 0);
        self
    }
}
