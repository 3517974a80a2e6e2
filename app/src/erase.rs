//! Views of one type: what branches and lists are made of.

use leptos::prelude::{AnyView, IntoAny};
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Position, PositionState, Render, RenderHtml};

/// Forgets the type of a view, as Leptos's `into_any` does, at a fraction of the code.
///
/// `into_any` keeps, for each type, the code that hydrates it step by step while pieces of the program are still loading, and the code that
/// spreads attributes over it. Our pages are whole when they are hydrated, and nothing is spread over a branch: a third of the browser's code
/// was for that.
pub trait Erase {
    /// The view without its type.
    fn erase(self) -> AnyView;
}

impl<V: RenderHtml + Send + 'static> Erase for V {
    fn erase(self) -> AnyView {
        Settled(self).into_any()
    }
}

/// A view that is hydrated in one go and takes no attributes from outside.
struct Settled<V>(V);

impl<V: Render> Render for Settled<V> {
    type State = V::State;

    fn build(self) -> Self::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        self.0.rebuild(state);
    }
}

impl<V: RenderHtml + Send + 'static> AddAnyAttr for Settled<V> {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self::Output<NewAttr> {
        self
    }
}

impl<V: RenderHtml + Send + 'static> RenderHtml for Settled<V> {
    type AsyncOutput = V::AsyncOutput;
    type Owned = Settled<V::Owned>;

    const MIN_LENGTH: usize = V::MIN_LENGTH;
    const EXISTS: bool = V::EXISTS;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    async fn resolve(self) -> Self::AsyncOutput {
        self.0.resolve().await
    }

    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    fn to_html_with_buf(self, buf: &mut String, position: &mut Position, escape: bool, mark_branches: bool, extra_attrs: Vec<AnyAttribute>) {
        self.0.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buf: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_async_with_buf::<OUT_OF_ORDER>(buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> Self::Owned {
        Settled(self.0.into_owned())
    }
}
