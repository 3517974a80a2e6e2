//! What a page rarely needs: its code comes when it does.

use domain::time::Timestamp;
use leptos::prelude::RwSignal;
use leptos::wasm_split::SplitLoaderError;

use crate::components::{away, control};
use crate::erase::spawn;
use crate::live::{Entry, Live, Notice};
use crate::pages::lazy::{RETRY, pause};

/// The ways in.
#[derive(Clone, Copy)]
pub struct Rare {
    /// Says what happened from a moment on and before another.
    pub away: fn(Live, Timestamp, Timestamp),
    /// Makes the control of an entity and puts it into its place.
    pub control: fn(Entry, RwSignal<Option<Notice>>),
}

const RARE: Rare = Rare { away: away::tell, control: control::fill };

#[cfg(feature = "split")]
#[leptos::wasm_split::wasm_split(rare, wasm_split_path = leptos::wasm_split, fallible)]
fn rare() -> Result<Rare, SplitLoaderError> {
    Ok(RARE)
}

#[cfg(not(feature = "split"))]
async fn rare() -> Result<Rare, SplitLoaderError> {
    Ok(RARE)
}

/// Does something with it, in the browser, once it is there.
pub fn with_rare(then: impl FnOnce(Rare) + 'static) {
    fn wait(then: Box<dyn FnOnce(Rare)>) {
        spawn(async move {
            loop {
                match rare().await {
                    Ok(rare) => return then(rare),
                    Err(_) => pause(RETRY).await,
                }
            }
        });
    }
    wait(Box::new(then));
}
