/**
 * Every command and subcommand of `@ioredis/commands` by what we do with it, `command|subcommand` for those that have some.
 *
 * Written down so that a new release of that package, or a change of ours, shows which commands it concerns. A command that
 * is new has to be looked at before its name comes in here: where are its keys, may it go to one node, are its copies equal?
 */

export const spreadClasses: Readonly<Record<string, string>> = {
  anyNode: `
    acl|cat acl|genpass acl|help command|count command|docs command|getkeys command|getkeysandflags command|help
    command|info command|list echo function|help lolwut memory|help object|help pubsub|help script|help xgroup|help
    xinfo|help`,
  channel: `
    publish spublish`,
  everywhere: `
    dbsize flushall flushdb function|delete function|flush function|load function|restore keys ping pubsub|channels
    pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub script|exists script|flush script|load wait
    waitaof`,
  oneNode: `
    append arcount ardel ardelrange arget argetrange argrep arinfo arinsert arlastitems arlen armget armset arnext
    arop arring arscan arseek arset bitcount bitfield bitfield_ro bitop bitpos blmove blmovem blmpop blpop brpop
    brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby delex digest dump eval eval_ro evalsha evalsha_ro expire
    expireat expiretime fcall fcall_ro geoadd geodist geohash geopos georadius georadius_ro georadiusbymember
    georadiusbymember_ro geosearch geosearchstore get getbit getdel getex getrange getset hdel hexists hexpire
    hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget hmset hpersist hpexpire
    hpexpireat hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen httl hvals incr incrby incrbyfloat
    increx lcs lindex linsert llen lmove lmovem lmpop lpop lpos lpush lpushx lrange lrem lset ltrim memory|usage
    migrate move msetex msetnx object|encoding object|freq object|idletime object|refcount persist pexpire pexpireat
    pexpiretime pfadd pfcount pfmerge psetex pttl rename renamenx restore rpop rpoplpush rpush rpushx sadd scard
    sdiff sdiffcard sdiffstore set setbit setex setnx setrange sinter sintercard sinterstore sismember smembers
    smismember smove sort sort_ro spop srandmember srem sscan strlen substr sunion sunioncard sunionstore ttl type
    vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim xack xackdel xadd
    xautoclaim xcfgset xclaim xdel xdelex xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy
    xgroup|setid xidmprecord xinfo|consumers xinfo|groups xinfo|stream xlen xnack xpending xrange xread xreadgroup
    xrevrange xsetid xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop
    zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
    zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion
    zunionstore`,
  randomNode: `
    randomkey`,
  refused: `
    asking auth client|caching client|getname client|getredir client|help client|id client|info client|kill
    client|list client|no-evict client|no-touch client|pause client|reply client|setinfo client|setname
    client|tracking client|trackinginfo client|unblock client|unpause cluster|addslots cluster|addslotsrange
    cluster|bumpepoch cluster|count-failure-reports cluster|countkeysinslot cluster|delslots cluster|delslotsrange
    cluster|failover cluster|flushslots cluster|forget cluster|getkeysinslot cluster|help cluster|info
    cluster|keyslot cluster|links cluster|meet cluster|migration cluster|myid cluster|myshardid cluster|nodes
    cluster|replicas cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch cluster|setslot
    cluster|shards cluster|slaves cluster|slot-stats cluster|slots cluster|syncslots discard exec failover hello
    himport|discard himport|discardall himport|prepare himport|set monitor multi psubscribe psync punsubscribe quit
    readonly readwrite replconf replicaof reset restore-asking scan script|debug select shutdown slaveof ssubscribe
    subscribe sunsubscribe sync trimslots unsubscribe unwatch watch`,
  'refused unless alone': `
    acl|deluser acl|dryrun acl|getuser acl|list acl|load acl|log acl|save acl|setuser acl|users acl|whoami
    backup|abort backup|cleanup backup|help backup|list backup|seal backup|start backup|status bgrewriteaof bgsave
    config|get config|help config|resetstat config|rewrite config|set debug function|dump function|kill
    function|list function|stats hotkeys|get hotkeys|help hotkeys|reset hotkeys|start hotkeys|stop info lastsave
    latency|doctor latency|graph latency|help latency|histogram latency|history latency|latest latency|reset
    memory|doctor memory|malloc-stats memory|purge memory|stats module|help module|list module|load module|loadex
    module|unload pfdebug pfselftest role save script|kill slowlog|get slowlog|help slowlog|len slowlog|reset swapdb
    time`,
  split: `
    del exists mget mset touch unlink`,
};

/** Of those with keys: what they do to copies. */
export const replicationClasses: Readonly<Record<string, string>> = {
  effects: `
    blmove blmovem blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy delex hsetnx lmpop msetnx renamenx
    restore setnx spop xadd xautoclaim xclaim xreadgroup zmpop`,
  fanOut: `
    append ardel ardelrange arinsert armset arring arseek arset bitfield bitop decr decrby del expire expireat
    geoadd geosearchstore getdel getex getset hdel hexpire hexpireat hgetdel hgetex hincrby hincrbyfloat hmset
    hpersist hpexpire hpexpireat hset hsetex incr incrby incrbyfloat increx linsert lmove lmovem lpop lpush lpushx
    lrem lset ltrim move mset msetex persist pexpire pexpireat pfadd pfmerge psetex rename rpop rpoplpush rpush
    rpushx sadd sdiffstore set setbit setex setrange sinterstore smove srem sunionstore unlink vadd vrem vsetattr
    xack xackdel xdel xdelex xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid
    xnack xsetid xtrim zadd zdiffstore zincrby zinterstore zpopmax zpopmin zrangestore zrem zremrangebylex
    zremrangebyrank zremrangebyscore zunionstore`,
  changesNothing: `
    georadius georadiusbymember sort`,
  read: `
    arcount arget argetrange argrep arinfo arlastitems arlen armget arnext arop arscan bitcount bitfield_ro bitpos
    digest dump eval_ro evalsha_ro exists expiretime fcall_ro geodist geohash geopos georadius_ro
    georadiusbymember_ro geosearch get getbit getrange hexists hexpiretime hget hgetall hkeys hlen hmget
    hpexpiretime hpttl hrandfield hscan hstrlen httl hvals lcs lindex llen lpos lrange memory|usage mget
    object|encoding object|freq object|idletime object|refcount pexpiretime pfcount pttl scard sdiff sdiffcard
    sinter sintercard sismember smembers smismember sort_ro srandmember sscan strlen substr sunion sunioncard touch
    ttl type vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vsim xinfo|consumers xinfo|groups
    xinfo|stream xlen xpending xrange xread xrevrange zcard zcount zdiff zinter zintercard zlexcount zmscore
    zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan
    zscore zunion`,
  refused: `
    eval evalsha fcall migrate xcfgset xidmprecord`,
};
