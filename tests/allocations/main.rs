//! Hot paths allocate nothing, under an allocator that counts what each thread asks for.

mod broadcast;
mod counter;
mod pullsync;

/// Asserts that no call allocates, the first apart, which may prepare the way.
fn allocates_nothing(what: &str, mut call: impl FnMut()) {
    call();
    let allocated = allocation_counter::measure(|| (0..1_000).for_each(|_| call()));
    assert_eq!(allocated.count_total, 0, "{what}: {allocated:?}");
}

#[test]
#[should_panic(expected = "a box")]
fn a_call_that_allocates_is_found() {
    allocates_nothing("a box", || drop(std::hint::black_box(Box::new(1))));
}
