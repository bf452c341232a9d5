//! What operations on chunks answer (12.4).

use super::{CHUNKS, conforms, hex};

#[test]
fn chunks_have_the_addresses_of_the_spec() {
    let foo = "2387e8e7d8a48c2a9339c97c1dc3461a9a7aa07e994c5cb8b38fd7c1b3e6ea48";
    let text = hex("greaterthanspan");
    conforms(&format!(
        r#"
        chunk_new payload="666f6f" -> {{"address":"{foo}","data":"0300000000000000666f6f"}}
        chunk_new payload="{text}" -> {{"address":"27913f1bdb6e8e52cbd5a5fd4ab577c857287edf6969b41efe926b51de0f4f23","data":"0f00000000000000{text}"}}
        chunk_address data="{text}" -> "95022e6af5c6d6a564ee55a67f8455a3e18c511b5697c932d9e44f07f2fb8c53"
        chunk_address data="0300000000000000666f6f0000" -> "{foo}"
        chunk_kind address="{foo}" data="0300000000000000666f6f" -> cac
        chunk_kind address="{foo}" data="0300000000000000666f70" -> invalid
        chunk_kind address="{}" data="0300000000000000666f6f" -> invalid
        chunk_kind address="" data="" -> invalid
        "#,
        &foo[2..],
    ));
    for (payload, address) in CHUNKS {
        conforms(&format!(
            r#"chunk_address data="0100000000000000{payload}" -> "{address}""#
        ));
    }
}

#[test]
fn chunks_have_their_sizes() {
    let zeros = |length: usize| "00".repeat(length);
    for (step, code) in [
        ("chunk_new payload=\"\"".to_owned(), "too_short_chunk_data"),
        (
            format!("chunk_new payload=\"{}\"", zeros(4097)),
            "too_large_chunk_data",
        ),
        (
            format!("chunk_address data=\"{}\"", zeros(7)),
            "too_short_chunk_data",
        ),
        (
            format!("chunk_address data=\"{}\"", zeros(4105)),
            "too_large_chunk_data",
        ),
        (
            format!("soc_parse data=\"{}\"", zeros(104)),
            "wrong_chunk_size",
        ),
        (
            format!("soc_parse data=\"{}\"", zeros(4202)),
            "too_large_chunk_data",
        ),
        (
            format!("soc_parse data=\"{}\"", zeros(105)),
            "invalid_signature",
        ),
        (
            "soc_address id=\"$00\" owner=\"00\"".to_owned(),
            "invalid_address",
        ),
    ] {
        conforms(&format!("{step} ! {code}"));
    }
}

#[test]
fn single_owner_chunks_name_their_owner() {
    let id = "07".repeat(32);
    let r = "5ad2703f5b4f4b9dea4c28fa30d86d3781d28e09dd51aae1208de80bb6155bee";
    let low = "74152da52d1f434004d4cc712d2e3bde678c8dc03e0d2963f2279876c3c1b6151c";
    // The mirrored signature, with the flag for "compressed".
    let high = "8bead25ad2e0bcbffb2b338ed2d1c42053224f26713b76d7cdaac6160c748b2c1f";
    let owner = "7db967bcf885c8ae4bbfdb5ffff5d9ebf96aa0ed";
    let wrapped = "2387e8e7d8a48c2a9339c97c1dc3461a9a7aa07e994c5cb8b38fd7c1b3e6ea48";
    let address = "488028ac85778a0228b99b55e9e49127de3ed88c401402ffda4203a93ce9cd21";
    let parsed = format!(
        r#"{{"id":"{id}","owner":"{owner}","wrapped_address":"{wrapped}","address":"{address}"}}"#
    );
    for s in [low, high] {
        let data = format!("{id}{r}{s}0300000000000000666f6f");
        conforms(&format!(
            r#"
            soc_parse data="{data}" -> {parsed}
            chunk_kind address="{address}" data="{data}" -> soc
            chunk_kind address="{wrapped}" data="{data}" -> invalid
            "#
        ));
    }
    conforms(&format!(
        r#"
        soc_address id="{id}" owner="{owner}" -> "{address}"
        soc_address id="$00" owner="8d3766440f0d7b949a5e32995d09619a7f86e632" -> "9d453ebb73b2fedaaf44ceddcf7a0aa37f3e3d6453fea5841c31f0ea6d61dc85"
        "#
    ));
}

#[test]
fn proximity_is_capped() {
    conforms(
        r#"
        proximity one="$00" other="$80" -> 0
        proximity one="$00" other="$01" -> 7
        proximity one="$5a" other="$5a" -> 31
        proximity one="0000000100000000000000000000000000000000000000000000000000000000" other="$00" -> 31
        proximity one="0000000200000000000000000000000000000000000000000000000000000000" other="$00" -> 30
        "#,
    );
}
