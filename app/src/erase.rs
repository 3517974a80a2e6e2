//! Views of one type: what branches and lists are made of.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use leptos::prelude::{AnyView, Effect, IntoAny, Memo, set_timeout};
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::reactive_graph::SharedReactiveFunction;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use leptos::task::spawn_local;

use crate::status::ON_SERVER;

/// Forgets the type of a view, as Leptos's `into_any` does, at a fraction of the code.
///
/// `into_any` keeps, for each type, the code that hydrates it step by step while pieces of the program are still loading, and the code that
/// spreads attributes over it. Our pages are hydrated once they are there, and nothing is spread over a branch: a third of the browser's code
/// was for that.
pub trait Erase {
    /// The view without its type.
    fn erase(self) -> AnyView;
}

impl<V: RenderHtml + Send + 'static> Erase for V {
    fn erase(self) -> AnyView {
        if ON_SERVER { self.into_any() } else { Part(Box::new(self)).into_any() }
    }
}

/// Text that follows what `f` reads. Of one type, as [`attr`] and [`part`] are: the code that keeps them up to date is there once, not for each
/// closure.
pub fn text<T: Into<Cow<'static, str>>>(f: impl Fn() -> T + Send + 'static) -> SharedReactiveFunction<Cow<'static, str>> {
    Arc::new(Mutex::new(move || f().into()))
}

/// An attribute that follows what `f` reads; `None` takes it away.
pub fn attr<T: Into<Cow<'static, str>>>(f: impl Fn() -> Option<T> + Send + 'static) -> SharedReactiveFunction<Option<Cow<'static, str>>> {
    Arc::new(Mutex::new(move || f().map(Into::into)))
}

/// A part of a page that follows what `f` reads.
pub fn part<V: RenderHtml + Send + 'static>(f: impl Fn() -> V + Send + 'static) -> SharedReactiveFunction<AnyView> {
    Arc::new(Mutex::new(move || f().erase()))
}

/// A [`Memo`] of `f`, which is told nothing of the value before.
pub fn memo<T: PartialEq + Send + Sync + 'static>(f: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    type Computation<T> = Box<dyn Fn() -> T + Send + Sync>;
    fn of<T: PartialEq + Send + Sync + 'static>(f: Computation<T>) -> Memo<T> {
        Memo::new(move |_| f())
    }
    of(Box::new(f))
}

/// An [`Effect`] of `f`, which is told nothing of the run before.
pub fn effect(f: impl Fn() + 'static) {
    fn of(f: Box<dyn Fn()>) {
        Effect::new(move |_| f());
    }
    of(Box::new(f));
}

/// Does something after a time, in the browser.
pub fn later(time: Duration, f: impl FnOnce() + 'static) {
    fn of(time: Duration, f: Box<dyn FnOnce()>) {
        set_timeout(f, time);
    }
    of(time, Box::new(f));
}

/// Runs a future in the browser.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    fn of(future: Pin<Box<dyn Future<Output = ()>>>) {
        spawn_local(future);
    }
    of(Box::pin(future));
}

/// A view in the browser, whatever its type. All that Leptos's own kind of such a view does, it does for this one type only.
struct Part(Box<dyn Piece>);

/// What the browser does with a view.
trait Piece: Send {
    fn type_id(&self) -> TypeId;
    fn build(self: Box<Self>) -> Shown;
    /// Changes what a view of the same type made.
    fn rebuild(self: Box<Self>, state: &mut dyn Any);
    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown;
}

/// A view that stands in the page.
struct Shown {
    /// The type of view that it was made of: only such a one can change it. Views of several types have states of one.
    of: TypeId,
    state: Box<dyn State>,
}

/// What Leptos keeps of a view that stands in the page.
trait State: Mountable + Any {}

impl<S: Mountable + Any> State for S {}

impl Shown {
    fn new<V: Render + 'static>(state: V::State) -> Self {
        Self { of: TypeId::of::<V>(), state: Box::new(state) }
    }
}

impl<V: RenderHtml + Send + 'static> Piece for V {
    fn type_id(&self) -> TypeId {
        TypeId::of::<V>()
    }

    fn build(self: Box<Self>) -> Shown {
        Shown::new::<V>(V::build(*self))
    }

    fn rebuild(self: Box<Self>, state: &mut dyn Any) {
        if let Some(state) = state.downcast_mut() {
            V::rebuild(*self, state);
        }
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown {
        Shown::new::<V>(V::hydrate::<true>(*self, cursor, position))
    }
}

impl Mountable for Shown {
    fn unmount(&mut self) {
        self.state.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.state.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.state.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        self.state.elements()
    }
}

impl Render for Part {
    type State = Shown;

    fn build(self) -> Shown {
        self.0.build()
    }

    fn rebuild(self, shown: &mut Shown) {
        if shown.of == Piece::type_id(&*self.0) {
            return self.0.rebuild(&mut *shown.state);
        }
        let mut new = self.0.build();
        shown.insert_before_this(&mut new);
        shown.unmount();
        *shown = new;
    }
}

impl AddAnyAttr for Part {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self {
        self
    }
}

impl RenderHtml for Part {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {
        unreachable!("no part is made on the server");
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Shown {
        self.0.hydrate(cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}
