//! Words over time: from changes to rows that a chart can draw.

use std::collections::HashMap;

use domain::entity::EntityId;
use domain::history::{Range, Resolution};
use domain::time::Timestamp;
use domain::words::{HeldWord, Words, shown};

use super::MOST_STATES;

/// The changes of one series of words, in order of time.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Each word once, in the order they came.
    words: Vec<String>,
    by_word: HashMap<String, usize>,
    /// Since when, and which word.
    rows: Vec<(i64, usize)>,
}

/// A row that is to be told: since when, which word, of how many changes.
type Row = (i64, usize, u32);

impl Changes {
    /// Takes the next word in. What says again what is so is no change.
    pub(super) fn push(&mut self, at: i64, word: &str) {
        let word = shown(word);
        let idx = match self.by_word.get(&word) {
            Some(&idx) => idx,
            None => {
                self.by_word.insert(word.clone(), self.words.len());
                self.words.push(word);
                self.words.len() - 1
            }
        };
        if self.rows.last().is_none_or(|(_, before)| *before != idx) {
            self.rows.push((at, idx));
        }
    }

    /// What they come to within a range, in about as many rows as `points` says at most, and exact where there are no more.
    pub(super) fn told(self, entity: EntityId, range: Range, points: usize) -> Words {
        let (from, to) = (range.from.as_ms(), range.to.as_ms());
        // What began before the range is known from its beginning on, and is no change of it.
        let rows: Vec<Row> = self.rows.iter().map(|&(at, word)| (at.max(from), word, u32::from(at >= from))).collect();
        let mut held = vec![0; self.words.len()];
        for (row, (at, word, _)) in rows.iter().enumerate() {
            held[*word] += rows.get(row + 1).map_or(to, |next| next.0).max(*at) - at;
        }
        let n_changes = rows.iter().map(|(.., n)| n).sum();
        let (resolution, rows) = if rows.len() > points.max(1) { merged(&rows, range, points) } else { (Resolution::Raw, rows) };
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_by(|&a, &b| held[b].cmp(&held[a]).then_with(|| self.words[a].cmp(&self.words[b])));
        // Those that nobody has to name are summed up.
        let mut is_told = vec![false; self.words.len()];
        rows.iter().map(|(_, word, _)| *word).chain(order.iter().copied().take(MOST_STATES)).for_each(|word| is_told[word] = true);
        let other_ms = order.iter().filter(|word| !is_told[**word]).map(|word| held[*word]).sum();
        order.retain(|word| is_told[*word]);
        let mut place = vec![0; self.words.len()];
        order.iter().enumerate().for_each(|(nth, word)| place[*word] = nth);
        Words {
            entity,
            resolution,
            t: rows.iter().map(|(at, ..)| Timestamp::from_ms(*at)).collect(),
            word: rows.iter().map(|(_, word, _)| place[*word]).collect(),
            n: rows.iter().map(|(.., n)| *n).collect(),
            words: order.into_iter().map(|word| HeldWord { word: self.words[word].clone(), ms: held[word] }).collect(),
            other_ms,
            n_changes,
        }
    }
}

/// Rows of which no more than two stand in a piece of the range: one from the first change in it to the last, which says the word that held longest
/// meanwhile, and one for what has been so since then. What stands alone in its piece stays as it is.
fn merged(rows: &[Row], range: Range, points: usize) -> (Resolution, Vec<Row>) {
    let n_pieces = i64::try_from(points / 2).unwrap_or(i64::MAX).max(1);
    let piece_ms = (range.len_ms() / n_pieces + 1).max(1);
    let piece = |row: &Row| (row.0 - range.from.as_ms()).div_euclid(piece_ms);
    let mut told = vec![];
    for some in rows.chunk_by(|a, b| piece(a) == piece(b)) {
        let [first, .., last] = some else {
            told.extend_from_slice(some);
            continue;
        };
        if last.0 > first.0 {
            told.push((first.0, longest(some), u32::try_from(some.len() - 1).unwrap_or(u32::MAX)));
        }
        told.push((last.0, last.1, 1));
    }
    (Resolution::BucketMs(piece_ms), told)
}

/// The word that held longest from the first of some rows to the last.
fn longest(rows: &[Row]) -> usize {
    let mut held: HashMap<usize, i64> = HashMap::new();
    for pair in rows.windows(2) {
        *held.entry(pair[0].1).or_default() += pair[1].0 - pair[0].0;
    }
    // Of two that held as long, always the same.
    held.into_iter().max_by_key(|(word, ms)| (*ms, std::cmp::Reverse(*word))).map_or(rows[0].1, |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(changes: &[(i64, &str)], range: (i64, i64), points: usize) -> Words {
        let mut all = Changes::default();
        changes.iter().for_each(|(at, word)| all.push(*at, word));
        let range = Range { from: Timestamp::from_ms(range.0), to: Timestamp::from_ms(range.1) };
        all.told(EntityId::parse("pump.mode").expect("id"), range, points)
    }

    fn rows(words: &Words) -> Vec<(i64, &str, u32)> {
        let row = |((at, word), n): ((&Timestamp, &usize), &u32)| (at.as_ms(), words.words[*word].word.as_str(), *n);
        words.t.iter().zip(&words.word).zip(&words.n).map(row).collect()
    }

    fn held(words: &Words) -> Vec<(&str, i64)> {
        words.words.iter().map(|held| (held.word.as_str(), held.ms)).collect()
    }

    #[test]
    fn a_word_holds_until_the_next_and_from_the_beginning_when_it_began_before() {
        let words = told(&[(-50, "Idle"), (10, "Idle"), (20, "Running"), (90, "Fault")], (0, 100), 10);
        assert_eq!(words.resolution, Resolution::Raw);
        assert_eq!(rows(&words), [(0, "Idle", 0), (20, "Running", 1), (90, "Fault", 1)]);
        assert_eq!(held(&words), [("Running", 70), ("Idle", 20), ("Fault", 10)]);
        assert_eq!((words.n_changes, words.other_ms), (2, 0));
        assert_eq!(told(&[], (0, 100), 10), Words::none(EntityId::parse("pump.mode").expect("id")));
    }

    #[test]
    fn changes_that_come_too_close_are_told_by_the_word_that_held_longest() {
        // Two pieces: seven changes in the first, one in the second.
        let changes = [(0, "a"), (2, "b"), (10, "a"), (12, "b"), (13, "c"), (14, "b"), (30, "a"), (70, "c")];
        let words = told(&changes, (0, 100), 4);
        assert_eq!(rows(&words), [(0, "b", 6), (30, "a", 1), (70, "c", 1)]);
        assert_eq!(held(&words), [("a", 44), ("c", 31), ("b", 25)]);
        assert_eq!(words.n_changes, 8);
        // At one moment nothing lies between.
        assert_eq!(rows(&told(&[(5, "a"), (5, "b"), (5, "c")], (0, 100), 2)), [(5, "c", 1)]);
    }

    #[test]
    fn words_that_no_row_says_are_summed_up_when_there_are_many() {
        let names: Vec<String> = (0..40).map(|n| format!("place {n}")).collect();
        let changes: Vec<(i64, &str)> = names.iter().enumerate().map(|(n, name)| (i64::try_from(n * n).expect("small"), name.as_str())).collect();
        let words = told(&changes, (0, 2_000), 2);
        assert_eq!((words.t.len(), words.words.len()), (2, MOST_STATES), "{words:?}");
        assert_eq!(words.words.iter().map(|held| held.ms).sum::<i64>() + words.other_ms, 2_000);
        assert!(words.other_ms > 0);
    }

    proptest! {
        #[test]
        fn rows_say_what_was_so_and_times_add_up(
            steps in prop::collection::vec((0i64..40, 0usize..20), 0..200), from in 0i64..500, len in 1i64..3_000, points in 1usize..40,
        ) {
            let names: Vec<String> = (0..20).map(|n| format!("word {n}")).collect();
            let mut at = 0;
            let all: Vec<(i64, &str)> = steps.iter().map(|(step, word)| { at += step; (at, names[*word].as_str()) }).collect();
            let to = from + len;
            // As the store hands them out: the one in force in front, nothing after the end.
            let first = all.iter().rposition(|(at, _)| *at < from).unwrap_or(0);
            let given: Vec<(i64, &str)> = all[first..].iter().copied().filter(|(at, _)| *at < to).collect();
            let words = told(&given, (from, to), points);

            let truth = |moment: i64| given.iter().rev().find(|(at, _)| *at <= moment).map(|(_, word)| *word);
            let mut brute: HashMap<&str, i64> = HashMap::new();
            (from..to).filter_map(truth).for_each(|word| *brute.entry(word).or_default() += 1);
            for (word, ms) in held(&words) {
                prop_assert_eq!(ms, brute.get(word).copied().unwrap_or(0));
            }
            prop_assert_eq!(words.words.iter().map(|held| held.ms).sum::<i64>() + words.other_ms, brute.values().sum::<i64>());
            let rows = rows(&words);
            prop_assert!(rows.len() <= points.max(1) + 4, "{} rows", rows.len());
            prop_assert!(rows.is_sorted_by(|a, b| a.0 <= b.0));
            for (nth, (at, word, n)) in rows.iter().enumerate() {
                prop_assert!((from..to).contains(at));
                let until = rows.get(nth + 1).map_or(to, |next| next.0);
                if *n <= 1 {
                    prop_assert!((*at..until).all(|moment| truth(moment) == Some(*word)), "{} from {} to {}", word, at, until);
                }
            }
        }
    }
}
