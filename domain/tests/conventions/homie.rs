//! Real messages, and what becomes of them.
