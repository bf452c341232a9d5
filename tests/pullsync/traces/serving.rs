//! What handlers and cancels answer (12.6).

use super::conforms;

/// A server with chunks 0, 1, 2 as numbers 1, 2, 3 of bin 0.
const SERVER: &str = r##"
    node_new node=s overlay="$00" batches=["$01"] -> null
    s chunk_put mode=upload chunks=[#0,#1,#2] -> [{"bin":0,"bin_id":1,"exists":false},{"bin":0,"bin_id":2,"exists":false},{"bin":0,"bin_id":3,"exists":false}]
"##;

#[track_caller]
fn serves(steps: &str) {
    conforms(&format!("{SERVER}{steps}"));
}

#[test]
fn a_handler_offers_and_delivers() {
    serves(
        r##"
        s serve_open peer="$80" ruid=7 handler=h -> {"canceled":false,"replaced":null}
        s handlers -> [{"handler":"h","peer":"$80","ruid":7,"state":"open"}]
        s serve_range handler=h bin=0 from=1 to=9 idle=false -> {"state":"offered","topmost":2,"hashes":"@0@1"}
        s handlers -> [{"handler":"h","peer":"$80","ruid":7,"state":"offered"}]
        s chunk_delete address="@0" -> {"existed":true}
        s serve_want handler=h bit_vector="ff" -> {"deliveries":[#1],"missing":["@0"]}
        s handlers -> []
        s serve_want handler=h bit_vector="ff" ! finished
        s serve_poll handler=h idle=true ! finished
        s serve_range handler=h bin=0 from=1 to=9 idle=false ! finished
        s cancel peer="$80" ruid=7 -> {"canceled":null,"pending":true}
        "##,
    );
}

#[test]
fn a_handler_waits_until_it_has_a_page() {
    serves(
        r##"
        s serve_open peer="$80" ruid=7 handler=h -> {"canceled":false,"replaced":null}
        s serve_range handler=h bin=0 from=3 to=9 idle=false -> {"state":"waiting","topmost":null,"hashes":null}
        s handlers -> [{"handler":"h","peer":"$80","ruid":7,"state":"waiting"}]
        s serve_poll handler=h idle=false -> {"state":"waiting","topmost":null,"hashes":null}
        s chunk_put mode=sync chunks=[#3] -> [{"bin":0,"bin_id":4,"exists":false}]
        s serve_poll handler=h idle=false -> {"state":"offered","topmost":4,"hashes":"@2@3"}
        s serve_want handler=h bit_vector="" ! invalid_length
        s serve_want handler=h bit_vector="00" ! finished
        s serve_open peer="$80" ruid=7 handler=k -> {"canceled":false,"replaced":null}
        s serve_range handler=k bin=0 from=4 to=9 idle=false -> {"state":"waiting","topmost":null,"hashes":null}
        s serve_poll handler=k idle=true -> {"state":"offered","topmost":4,"hashes":"@3"}
        "##,
    );
}

#[test]
fn an_empty_page_and_an_error_finish_a_handler() {
    serves(
        r##"
        s chunk_delete address="@2" -> {"existed":true}
        s serve_open peer="$80" ruid=1 handler=a -> {"canceled":false,"replaced":null}
        s serve_range handler=a bin=0 from=3 to=3 idle=false -> {"state":"empty","topmost":3,"hashes":""}
        s serve_open peer="$80" ruid=2 handler=b -> {"canceled":false,"replaced":null}
        s serve_range handler=b bin=-1 from=3 to=0 idle=false ! bin_out_of_range
        s serve_open peer="$80" ruid=3 handler=d -> {"canceled":false,"replaced":null}
        s serve_range handler=d bin=0 from=3 to=2 idle=false ! invalid_range
        s handlers -> []
        s serve_want handler=a bit_vector="" ! finished
        s serve_poll handler=b idle=true ! finished
        s serve_range handler=d bin=0 from=1 to=1 idle=true ! finished
        "##,
    );
}

#[test]
fn the_same_key_replaces_and_others_do_not() {
    serves(
        r##"
        s serve_open peer="$80" ruid=7 handler=a -> {"canceled":false,"replaced":null}
        s serve_open peer="$40" ruid=7 handler=b -> {"canceled":false,"replaced":null}
        s serve_open peer="$80" ruid=3 handler=d -> {"canceled":false,"replaced":null}
        s serve_range handler=a bin=0 from=1 to=1 idle=true -> {"state":"offered","topmost":1,"hashes":"@0"}
        s serve_open peer="$80" ruid=7 handler=e -> {"canceled":false,"replaced":"a"}
        s serve_want handler=a bit_vector="01" ! canceled
        s serve_poll handler=a idle=true ! canceled
        s handlers -> [{"handler":"b","peer":"$40","ruid":7,"state":"open"},{"handler":"d","peer":"$80","ruid":3,"state":"open"},{"handler":"e","peer":"$80","ruid":7,"state":"open"}]
        s cancel peer="$80" ruid=7 -> {"canceled":"e","pending":false}
        s cancel peer="$80" ruid=7 -> {"canceled":null,"pending":true}
        s serve_range handler=e bin=32 from=0 to=0 idle=true ! canceled
        s handlers -> [{"handler":"b","peer":"$40","ruid":7,"state":"open"},{"handler":"d","peer":"$80","ruid":3,"state":"open"}]
        "##,
    );
}

#[test]
fn pending_cancels_are_consumed_and_evicted() {
    serves(
        r##"
        s cancel peer="$80" ruid=1 -> {"canceled":null,"pending":true}
        s cancel peer="$80" ruid=2 -> {"canceled":null,"pending":true}
        s cancel peer="$80" ruid=1 -> {"canceled":null,"pending":true}
        s cancel peer="$80" ruid=3 -> {"canceled":null,"pending":true}
        s cancel peer="$40" ruid=3 -> {"canceled":null,"pending":true}
        s serve_open peer="$80" ruid=1 handler=a -> {"canceled":false,"replaced":null}
        s serve_open peer="$80" ruid=2 handler=b -> {"canceled":true,"replaced":null}
        s serve_range handler=b bin=0 from=1 to=1 idle=true ! canceled
        s serve_open peer="$80" ruid=2 handler=d -> {"canceled":false,"replaced":null}
        s serve_open peer="$40" ruid=3 handler=e -> {"canceled":true,"replaced":null}
        s handlers -> [{"handler":"a","peer":"$80","ruid":1,"state":"open"},{"handler":"d","peer":"$80","ruid":2,"state":"open"}]
        s serve_open peer="$80" ruid=3 handler=f -> {"canceled":true,"replaced":null}
        "##,
    );
}

#[test]
fn peers_go_and_nodes_close() {
    serves(
        r##"
        s serve_open peer="$80" ruid=9 handler=a -> {"canceled":false,"replaced":null}
        s serve_open peer="$40" ruid=8 handler=b -> {"canceled":false,"replaced":null}
        s serve_open peer="$80" ruid=3 handler=d -> {"canceled":false,"replaced":null}
        s cancel peer="$80" ruid=5 -> {"canceled":null,"pending":true}
        s peer_gone peer="$80" -> ["d","a"]
        s peer_gone peer="$80" -> []
        s serve_poll handler=a idle=true ! canceled
        s serve_open peer="$80" ruid=5 handler=e -> {"canceled":false,"replaced":null}
        s serve_open peer="$40" ruid=4 handler=f -> {"canceled":false,"replaced":null}
        s cancel peer="$80" ruid=1 -> {"canceled":null,"pending":true}
        s node_close -> ["f","b","e"]
        s node_close -> []
        s handlers -> []
        s serve_open peer="$80" ruid=1 handler=g ! shutdown
        s cancel peer="$80" ruid=1 -> {"canceled":null,"pending":true}
        s serve_want handler=f bit_vector="" ! canceled
        s cursors -> [3,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
        "##,
    );
}

#[test]
fn an_exchange_that_timed_out_leaves_a_handler() {
    serves(
        r##"
        node_new node=c overlay="$40" batches=["$01"] -> null
        node_new node=d overlay="$20" batches=["$01"] -> null
        c sync_interval server=s bin=0 from=4 to=9 ruid=7 idle=true fault=null ! timeout
        s serve_poll handler=auto-7 idle=true -> {"state":"waiting","topmost":null,"hashes":null}
        d sync_interval server=s bin=0 from=3 to=9 ruid=7 idle=false fault=null ! timeout
        s handlers -> [{"handler":"auto-7","peer":"$20","ruid":7,"state":"waiting"},{"handler":"auto-7","peer":"$40","ruid":7,"state":"waiting"}]
        s serve_poll handler=auto-7 idle=true -> {"state":"offered","topmost":3,"hashes":"@2"}
        s cancel peer="$40" ruid=7 -> {"canceled":"auto-7","pending":false}
        s serve_want handler=auto-7 bit_vector="01" -> {"deliveries":[#2],"missing":[]}
        s serve_want handler=auto-7 bit_vector="01" ! finished
        c sync_interval server=s bin=0 from=4 to=9 ruid=7 idle=true fault=null ! timeout
        s serve_open peer="$40" ruid=7 handler=h -> {"canceled":false,"replaced":"auto-7"}
        s serve_poll handler=auto-7 idle=true ! canceled
        c sync_interval server=s bin=0 from=1 to=1 ruid=7 idle=true fault=null -> {"offered":1,"wanted":1,"stored":["@0"],"rejected":[],"topmost":1}
        s serve_range handler=h bin=0 from=1 to=1 idle=true ! canceled
        s serve_poll handler=auto-7 idle=true ! canceled
        s handlers -> []
        "##,
    );
}
