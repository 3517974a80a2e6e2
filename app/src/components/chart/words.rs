//! How words look in a lane: a color and a mark for each, the same whatever else is said.

use domain::history::Range;
use domain::time::Timestamp;
use domain::words::Words;

use crate::components::chart::time_axis::point_time;

/// Words of a lane that look different; what else is said is gray.
pub const MOST_LOOKS: usize = 12;
/// Colors of series.
const COLORS: usize = 6;
/// Dashes of the line along the middle, the first is none. Six colors and four of these make twelve pairs.
const MARKS: [&str; 4] = ["", "lane-mark", "lane-mark series-3", "lane-mark series-4"];

/// Width of a letter in a lane, and of what stands beside a word, in pixels.
const LETTER_PX: f64 = 7.0;
const BESIDE_PX: f64 = 12.0;
/// Width of a hundredth of the narrowest lane that has words written in it: that of a small tablet.
const PERCENT_PX: f64 = 5.2;

/// How a word looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look(Option<usize>);

impl Look {
    /// 1 to 6, a color of series; 0 is gray.
    #[must_use]
    pub fn color(self) -> usize {
        self.0.map_or(0, |place| place % COLORS + 1)
    }

    /// The class of the line along its middle; empty for none.
    #[must_use]
    pub fn mark(self) -> &'static str {
        self.0.map_or("", |place| MARKS[place % MARKS.len()])
    }
}

/// The look of each word of a lane. A word has a place of its own, made of its letters; where two words of a lane meet in one, the later of them in the
/// alphabet goes to the next that is free.
#[must_use]
pub fn looks(words: &Words) -> Vec<Look> {
    let mut looks = vec![Look(None); words.words.len()];
    let mut named: Vec<usize> = (0..words.words.len().min(MOST_LOOKS)).collect();
    named.sort_by(|&a, &b| words.words[a].word.cmp(&words.words[b].word));
    let mut is_taken = [false; MOST_LOOKS];
    for idx in named {
        let own = place(&words.words[idx].word);
        let free = (own..own + MOST_LOOKS).map(|place| place % MOST_LOOKS).find(|&place| !is_taken[place]);
        if let Some(free) = free {
            is_taken[free] = true;
            looks[idx] = Look(Some(free));
        }
    }
    looks
}

/// FNV-1a: the same on every machine and in every version.
fn place(word: &str) -> usize {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) as usize % MOST_LOOKS
}

/// Whether a word can be written into a span of a lane, which is so many per cent wide.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a word of some letters")]
pub fn has_room(word: &str, width: f64) -> bool {
    word.chars().count() as f64 * LETTER_PX + BESIDE_PX <= width * PERCENT_PX
}

/// A span of time in which a word held.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The word, `Running`, or `mostly Running`.
    pub word: String,
    /// With its times: `Running, 12:04 to 13:10`.
    pub title: String,
    /// How it looks.
    pub look: Look,
}

/// The spans of `range`, oldest first.
#[must_use]
pub fn spans(words: &Words, range: Range, utc_offset_s: i32) -> Vec<Span> {
    let looks = looks(words);
    let time = |at: Timestamp| point_time(at, range, utc_offset_s);
    let rows = words.t.iter().zip(&words.word).enumerate();
    let spans = rows.filter_map(|(row, (&at, &idx))| {
        let (from, to) = (at.max(range.from), words.t.get(row + 1).map_or(range.to, |&next| next.min(range.to)));
        let word = said(words, row)?;
        let title = if to >= range.to { format!("{word}, since {}", time(from)) } else { format!("{word}, {} to {}", time(from), time(to)) };
        (from < to).then(|| Span { from, to, title, look: looks.get(idx).copied().unwrap_or(Look(None)), word })
    });
    spans.collect()
}

/// What a row says: `Running`, and `mostly Running` where it stands for several changes.
#[must_use]
pub fn said(words: &Words, row: usize) -> Option<String> {
    let word = &words.words.get(*words.word.get(row)?)?.word;
    Some(if words.n.get(row).is_some_and(|&n| n > 1) { format!("mostly {word}") } else { word.clone() })
}

/// The known time of a range, in milliseconds.
#[must_use]
pub fn known_ms(words: &Words) -> i64 {
    words.words.iter().map(|held| held.ms).sum::<i64>() + words.other_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::EntityId;
    use domain::words::HeldWord;
    use proptest::prelude::*;

    fn words(rows: &[(i64, usize, u32)], names: &[&str]) -> Words {
        Words {
            t: rows.iter().map(|row| Timestamp::from_ms(row.0)).collect(),
            word: rows.iter().map(|row| row.1).collect(),
            n: rows.iter().map(|row| row.2).collect(),
            words: names.iter().map(|name| HeldWord { word: (*name).to_owned(), ms: 10 }).collect(),
            ..Words::none(EntityId::parse("pump.mode").expect("id"))
        }
    }

    const RANGE: Range = Range { from: Timestamp::from_ms(0), to: Timestamp::from_ms(100_000) };

    #[test]
    fn a_word_holds_until_the_next_and_the_last_to_the_end() {
        let words = words(&[(0, 1, 0), (20_000, 0, 1), (20_000, 1, 1), (50_000, 0, 5)], &["Idle", "Running"]);
        let spans = spans(&words, RANGE, 0);
        let told: Vec<_> = spans.iter().map(|span| (span.from.as_ms(), span.to.as_ms(), span.title.as_str())).collect();
        assert_eq!(
            told,
            [
                (0, 20_000, "Running, 00:00:00 to 00:00:20"),
                (20_000, 50_000, "Running, 00:00:20 to 00:00:50"),
                (50_000, 100_000, "mostly Idle, since 00:00:50")
            ],
        );
        assert_eq!((spans[0].look, spans[1].look == spans[2].look), (spans[1].look, false));
        assert_eq!(known_ms(&words), 20);
    }

    #[test]
    fn a_word_is_written_where_there_is_room() {
        assert!(has_room("Idle", 8.0) && !has_room("Idle", 7.0) && !has_room("On the road", 15.0) && has_room("On the road", 18.0));
    }

    proptest! {
        #[test]
        fn twelve_words_look_different_whatever_held_longest(mut names in prop::collection::btree_set("[a-z]{0,6}", 1..20), rotate in 0usize..20) {
            let mut names: Vec<String> = std::mem::take(&mut names).into_iter().collect();
            names.truncate(MOST_LOOKS + 4);
            let of = |names: &[String]| {
                let words = words(&[], &names.iter().map(String::as_str).collect::<Vec<_>>());
                looks(&words)
            };
            let all = of(&names);
            let mut pairs: Vec<_> = all.iter().take(MOST_LOOKS).map(|look| (look.color(), look.mark())).collect();
            let n = pairs.len();
            pairs.sort_unstable();
            pairs.dedup();
            prop_assert_eq!(pairs.len(), n);
            prop_assert!(all.iter().take(MOST_LOOKS).all(|look| look.color() > 0));
            prop_assert!(all.iter().skip(MOST_LOOKS).all(|look| *look == Look(None)));
            // In another order each word still looks the same.
            names.truncate(MOST_LOOKS);
            let (before, by) = (of(&names), rotate % names.len());
            let mut turned = names.clone();
            turned.rotate_left(by);
            let mut after = of(&turned);
            after.rotate_right(by);
            prop_assert_eq!(before, after);
        }
    }
}
