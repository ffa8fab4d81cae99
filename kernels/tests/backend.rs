//! Which backend a process gets: detected, or forced by the environment variable; and what it is
//! told when it asks for the impossible.

mod common;

use std::process::{Command, Output};

use nearfield_kernels::{BACKEND_VARIABLE, Backend, Kernel, Metric, Rows, Unsupported};

#[test]
fn every_backend_that_std_detects_is_available_and_works() {
    let available: Vec<Backend> = Backend::available().collect();
    assert_eq!(available, common::expected_backends());
    for backend in Backend::ALL {
        let listed = available.contains(&backend);
        assert_eq!(backend.is_available(), listed);
        let kernel = Kernel::<f32>::on(backend, Metric::L2Squared);
        if listed {
            assert_eq!(kernel.unwrap().backend(), backend);
        } else {
            assert_eq!(kernel.unwrap_err(), Unsupported::Backend(backend));
        }
    }
}

#[test]
fn metrics_that_make_no_sense_for_the_element_are_refused() {
    let floats =
        [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];
    for metric in Metric::ALL {
        let float = floats.contains(&metric);
        assert_eq!(Kernel::<f32>::best(metric).is_ok(), float, "{metric}");
        assert_eq!(Kernel::<u64>::best(metric).is_ok(), !float, "{metric}");
    }
    let error = Kernel::<f32>::best(Metric::Hamming).unwrap_err();
    assert_eq!(error.to_string(), "metric `hamming` is not defined for elements of type `f32`");
}

#[test]
fn names_are_read_back() {
    for backend in Backend::ALL {
        assert_eq!(backend.name().parse(), Ok(backend));
    }
    assert_eq!("sse9".parse::<Backend>(), Err(Unsupported::UnknownBackend("sse9".into())));
}

#[test]
#[should_panic(expected = "vectors of 3 and 2 elements")]
fn lengths_that_differ_panic() {
    let kernel = Kernel::best(Metric::L2Squared).unwrap();
    let _ = kernel.distance(&[1.0f32, 2.0, 3.0], &[1.0, 2.0]);
}

#[test]
#[should_panic(expected = "vectors of 2 and 3 elements")]
fn lengths_that_differ_the_other_way_panic() {
    let kernel = Kernel::best(Metric::L2Squared).unwrap();
    let _ = kernel.distance(&[1.0f32, 2.0], &[1.0, 2.0, 3.0]);
}

#[test]
#[should_panic(expected = "vectors of 1 and 2 elements")]
fn lengths_of_bits_that_differ_panic() {
    let _ = nearfield_kernels::hamming(&[1u64], &[1, 2]);
}

#[test]
#[should_panic(expected = "a query of 2 elements against rows of 3")]
fn a_query_of_another_dimension_panics() {
    let kernel = Kernel::best(Metric::L2Squared).unwrap();
    kernel.one_to_many(&[1.0f32, 2.0], &Rows::new(&[1.0; 6], 3), &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "room for 1 distances of 2 ids")]
fn too_little_room_panics() {
    let kernel = Kernel::best(Metric::L2Squared).unwrap();
    kernel.gather(&[1.0f32; 3], &Rows::new(&[1.0; 6], 3), &[0, 1], &mut [0.0]);
}

#[test]
#[should_panic(expected = "row 2 of 2")]
fn an_id_out_of_range_panics() {
    let kernel = Kernel::best(Metric::L2Squared).unwrap();
    kernel.gather(&[1.0f32; 3], &Rows::new(&[1.0; 6], 3), &[0, 1, 2], &mut [0.0; 3]);
}

/// Runs one of the ignored tests below in a process of its own, with the variable set.
fn child(test: &str, value: &str) -> Output {
    let this = std::env::current_exe().unwrap();
    // Under emulation the kernel cannot start the binary; cargo's runner can.
    let runner = cfg!(target_arch = "aarch64")
        .then(|| std::env::var("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER").ok())
        .flatten();
    let mut words: Vec<&str> = runner.iter().flat_map(|runner| runner.split_whitespace()).collect();
    words.push(this.to_str().unwrap());
    Command::new(words[0])
        .args(&words[1..])
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(BACKEND_VARIABLE, value)
        .output()
        .unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

#[test]
#[ignore = "a child process of forced_backends_are_obeyed_or_refused"]
fn child_names_its_backend() {
    let kernel = Kernel::<f32>::best(Metric::L2Squared).map(|kernel| kernel.backend());
    assert_eq!(kernel, Backend::best());
    println!("got: {kernel:?}");
}

#[test]
#[ignore = "a child process of plain_functions_panic_over_an_impossible_backend"]
fn child_calls_plain_functions() {
    assert_eq!(nearfield_kernels::l2_squared(&[1.0], &[3.0]), 4.0);
    assert_eq!(nearfield_kernels::hamming(&[1u64], &[2]), 2);
    println!("got: both");
}

/// A backend that this CPU lacks, whatever it is.
fn missing() -> Backend {
    if cfg!(target_arch = "x86_64") { Backend::Neon } else { Backend::Avx512 }
}

#[test]
fn forced_backends_are_obeyed_or_refused() {
    let mut expected: Vec<(&str, String)> = common::backends()
        .into_iter()
        .map(|backend| (backend.name(), format!("Ok({backend:?})")))
        .collect();
    expected.push((missing().name(), format!("Err(Backend({:?}))", missing())));
    expected.push(("sse9", r#"Err(UnknownBackend("sse9"))"#.into()));
    expected.push(("", r#"Err(UnknownBackend(""))"#.into()));
    for (value, expected) in expected {
        let output = child("child_names_its_backend", value);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains(&format!("got: {expected}\n")),
            "{output:?}"
        );
    }
}

#[test]
fn plain_functions_panic_over_an_impossible_backend() {
    let output = child("child_calls_plain_functions", "scalar");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("got: both\n"), "{output:?}");

    let output = child("child_calls_plain_functions", missing().name());
    let text = String::from_utf8_lossy(&output.stderr);
    let expected = format!("backend `{}` is not available on this CPU", missing());
    assert!(!output.status.success() && text.contains(&expected), "{output:?}");
}
