// Messages through a stream: none is lost, whatever happens to the stream.
#include <atomic>
#include <thread>

#include "tests/core/runtime_fixture.h"

namespace kps::test {
namespace {

using Delivery = RuntimeTest;

TEST_F(Delivery, AcknowledgesOnlyWhatIsConfirmed) {
  world_.confirming = false;
  world_.source = {"a", "b"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  EXPECT_EQ(Acknowledged(), 0u);
  world_.Do([&] { world_.confirming = true; });
  EXPECT_TRUE(Eventually([&] { return Acknowledged() == 2; }));
}

TEST_F(Delivery, AfterALostConnectionEverythingUnconfirmedIsPublishedAgainInOrder) {
  world_.confirming = false;
  world_.source = {"a", "b", "c"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Published));
  world_.Do([&] { world_.abort_waits = 1; });
  EXPECT_TRUE(Comes({"a", "b", "c", "a", "b", "c"}, &RuntimeTest::Published));
  world_.Do([&] { world_.confirming = true; });
}

TEST_F(Delivery, AnotherChannelGoesOnAtThePosition) {
  world_.source = {"a", "b"};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Acknowledged() == 2; }));
  StreamSpec moved = kIn;
  moved.channel = "d";
  ASSERT_TRUE(Set({moved}).error.ok());
  EXPECT_TRUE(Comes({"in@", "in@2"}, &RuntimeTest::Created));
  world_.Do([&] { world_.source.push_back("c"); });
  ASSERT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Published));
  EXPECT_EQ(world_.Do([&] { return world_.published.back().first; }), "d");
}

TEST_F(Delivery, AnUndeliverableMessageIsDroppedWithAnAlert) {
  world_.refused = "bad";
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "bad", "b"}) world_.Send("c", payload);
  EXPECT_TRUE(Comes({"a", "b"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Has(kMessageUndeliverable, "out"));
  world_.Do([&] { world_.inbox["c"].push_back("\x0C"); });
  world_.Send("c", "d");
  EXPECT_TRUE(Comes({"a", "b", "d"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Has(kEnvelopeMalformed, "out"));
}

TEST_F(Delivery, AProducerIsGivenAtOnceWhatHasCome) {
  world_.Do([&] { world_.inbox["c"].push_back(""); });  // an envelope without a message
  for (const char* payload : {"a", "b", "c"}) world_.Send("c", payload);
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Produced));
  EXPECT_EQ(world_.Do([&] { return world_.produce_sizes; }), (std::vector<std::size_t>{3}));
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return world_.receipts.back() == 4; }); }));
}

TEST_F(Delivery, WhatAProducerIsGivenAtOnceIsBounded) {
  for (int i = 0; i < 300; ++i) world_.Send("c", "small");
  for (int i = 0; i < 4; ++i) world_.Send("c", std::string(600 * 1024, 'x'));
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Produced().size() == 304; }));
  // 256; then small ones and two large ones, with which a MiB is full; the rest.
  EXPECT_EQ(world_.Do([&] { return world_.produce_sizes; }), (std::vector<std::size_t>{256, 46, 2}));
}

TEST_F(Delivery, AMalformedOneAmongOthersStopsNoneOfThem) {
  world_.refused = "bad";
  world_.Send("c", "a");
  world_.Do([&] { world_.inbox["c"].push_back("\x0C"); });
  for (const char* payload : {"b", "bad", "c"}) world_.Send("c", payload);
  world_.Do([&] { world_.inbox["c"].push_back("\x0C"); });
  ASSERT_TRUE(Set({kOut}).error.ok());
  EXPECT_TRUE(Comes({"a", "b", "c"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return world_.raw_published.size() == 2; }); }))
      << "both are dead letters";
}

TEST_F(Delivery, WhatIsLeftOfSeveralIsForTheNextProducer) {
  world_.keeping = true;
  world_.produce_errors = {Error(), Error(Code::kPermissionDenied, "read only")};
  world_.Send("c", "a");
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Comes({"a"}, &RuntimeTest::Produced));
  for (const char* payload : {"b", "c", "d"}) world_.Send("c", payload);
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  ASSERT_TRUE(Set({kOut}).error.ok());
  EXPECT_TRUE(Comes({"a", "b", "c", "d"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return world_.receipts.back() == 4; }); }));
}

TEST_F(Delivery, ARestartHandsOverWhatIsUndelivered) {
  world_.producer_busy = true;
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "b"}) world_.Send("c", payload);
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  StreamSpec changed = kOut;
  changed.metadata_json = "{\"a\":1}";
  ASSERT_TRUE(Set({changed}).error.ok());
  world_.Do([&] { world_.producer_busy = false; });
  EXPECT_TRUE(Comes({"a", "b"}, &RuntimeTest::Produced));
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 1) << "the subscription stays open: nothing is missed";
}

TEST_F(Delivery, APermanentErrorOfTheProducerKeepsTheMessage) {
  world_.produce_errors = {Error(Code::kPermissionDenied, "read only")};
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "b"}) world_.Send("c", payload);
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  ASSERT_TRUE(Set({kOut}, {{{"password", "\"right\""}}}).error.ok());
  EXPECT_TRUE(Comes({"a", "b"}, &RuntimeTest::Produced));
  EXPECT_EQ(Created(), (Texts{"out", "out"})) << "a producer that has failed for good is made anew";
}

TEST_F(Delivery, ALostSubscriptionIsMadeAnew) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
  world_.Do([&] { world_.receive_errors = {Error(Code::kUnavailable, "closed")}; });
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.subscribes == 2; }); }));
  world_.Send("c", "a");
  EXPECT_TRUE(Comes({"a"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out") && !Has(kTransportSubscribeFailed, "out"); }));
}

TEST_F(Delivery, ShutdownDeliversWhatHasArrived) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  Texts sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(std::to_string(i));
    world_.Send("c", sent.back());
  }
  runtime_->Shutdown();
  EXPECT_EQ(Produced(), sent);
}

// What a stop wakes returns; what is asked after that may take its time.
TEST_F(Delivery, AStopThatInterruptsAFlushHasItFinished) {
  world_.Do([&] { world_.keeping = world_.woken_takes_nothing = world_.flush_waits = true; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.flushes; }) == 1; }));
  std::thread stop([&] { runtime_->Shutdown(); });
  EXPECT_TRUE(Eventually([&] { return world_.Do([&] { return world_.flushes; }) == 2; }));
  world_.Do([&] { world_.flush_waits = false; });
  stop.join();
  EXPECT_EQ(world_.Do([&] { return world_.receipts.size(); }), 1u) << "acknowledged";
}

TEST_F(Delivery, AStopThatInterruptsAProducerStillDelivers) {
  world_.Do([&] { world_.woken_takes_nothing = world_.producer_blocked = true; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.producing; }); }));
  std::thread stop([&] { runtime_->Shutdown(); });
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return world_.wakes; }) == 1; }));
  world_.Do([&] { world_.producer_blocked = false; });
  stop.join();
  EXPECT_EQ(Produced(), Texts{"a"});
}

TEST_F(Delivery, AChannelThatTheTransportRefusesFailsTheStreamUntilItIsSetAgain) {
  world_.source = {"a"};
  world_.publish_errors = {Error(Code::kPermissionDenied, "not this channel")};
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "in"); }));
  EXPECT_TRUE(Has(kTransportPublishFailed, "in"));
  EXPECT_FALSE(Subscribed());
  EXPECT_EQ(Created(), Texts{"in@"});
  StreamSpec elsewhere = kIn;
  elsewhere.channel = "d";
  ASSERT_TRUE(Set({elsewhere}).error.ok());
  EXPECT_TRUE(Comes({"a"}, &RuntimeTest::Published));
  EXPECT_TRUE(Eventually([&] { return Subscribed() && !Has(kTransportPublishFailed, "in"); }));
}

TEST_F(Delivery, AStopEndsInTimeThoughTheTargetTakesNothing) {
  drain_timeout_ = std::chrono::milliseconds(300);
  Start();
  world_.producer_busy = true;
  ASSERT_TRUE(Set({kOut}).error.ok());
  for (const char* payload : {"a", "b", "c"}) world_.Send("c", payload);
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  std::atomic<bool> ended{false};
  std::thread stop([&] {
    runtime_->Shutdown();
    ended = true;
  });
  EXPECT_TRUE(Eventually([&] { return ended.load(); }, std::chrono::milliseconds(5000)));
  world_.Do([&] { world_.producer_busy = false; });  // lets a stop that hangs end
  stop.join();
  const Texts log = world_.Do([&] { return world_.log; });
  EXPECT_EQ(log.back(), "out: 3 received messages were not delivered in time and are lost");
}

TEST_F(Delivery, ARestartThatIsStoppedAtOnceStillDelivers) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Subscribed(); }));
  world_.Do([&] { world_.producer_busy = true; });
  Texts sent;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(std::to_string(i));
    world_.Send("c", sent.back());
  }
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  StreamSpec changed = kOut;
  changed.metadata_json = "{\"a\":1}";
  ASSERT_TRUE(Set({changed}).error.ok());
  world_.Do([&] { world_.producer_busy = false; });
  const auto began = std::chrono::steady_clock::now();
  runtime_->Shutdown();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5))
      << "the drain has its time, it need not take it";
  EXPECT_EQ(Produced(), sent);
}

TEST_F(Delivery, AConsumerIsAskedForBatchesNotForSingleMessages) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return world_.Do([&] { return !world_.limits.empty(); }); }));
  const BatchLimits limits = world_.Do([&] { return world_.limits.front(); });
  EXPECT_EQ(limits.messages_max, 512u);
  EXPECT_EQ(limits.bytes_max, 1024u * 1024u);
}

TEST_F(Delivery, WhatIsConfirmedWhenTheConnectionGoesIsNotPublishedAgain) {
  world_.Do([&] {
    world_.confirming = false;
    world_.source = {"a", "b"};
  });
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Comes({"a", "b"}, &RuntimeTest::Published));
  world_.Do([&] {
    world_.confirm_at_abort = true;
    world_.abort_waits = 1;
  });
  EXPECT_TRUE(Eventually([&] { return Acknowledged() == 2; }));
  EXPECT_EQ(Published(), (Texts{"a", "b"}));
}

TEST_F(Delivery, AStopTriesOnceMoreWhatHadFailedForGood) {
  world_.Do([&] { world_.produce_errors = {Error(Code::kPermissionDenied, "not yet")}; });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamFailed, "out"); }));
  runtime_.reset();
  EXPECT_EQ(Produced(), Texts{"a"});
  EXPECT_EQ(Created().size(), 2u);
}

TEST_F(Delivery, ASetPayloadWaitsForNoSubscriptionOfATransportThatKeepsMessages) {
  world_.Do([&] {
    world_.keeping = true;
    world_.blocked = {"out"};  // its producer
    world_.subscribe_errors = {Error(Code::kUnavailable, "the stream is not there")};
  });
  ASSERT_TRUE(Set({kOut}).error.ok());
  EXPECT_TRUE(Eventually([&] { return Has(kTransportSubscribeFailed, "out"); })) << "the stream's own thread has tried";
  EXPECT_TRUE(Eventually([&] { return Created().size() == 1; }));
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 2);
}

TEST_F(Delivery, WhichFaultsAConfirmSurvivesIsAStatusOnceItIsKnown) {
  ASSERT_TRUE(Set({kIn}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "in"); }));
  EXPECT_FALSE(Has(kTransportDurability, "in"));
  world_.Do([&] {
    world_.durability = "a crash of the host";
    world_.source = {"a"};
  });
  ASSERT_TRUE(Eventually([&] { return Has(kTransportDurability, "in"); }));
  EXPECT_EQ(Find(kTransportDurability, "in")->message, "a crash of the host");
  world_.Do([&] {
    world_.durability = "nothing: the stream is another";
    world_.source.push_back("b");
  });
  EXPECT_TRUE(Eventually([&] { return Find(kTransportDurability, "in")->message == world_.durability; }));
}

TEST_F(Delivery, WhatIsDroppedWhileTheProducerTakesNothingIsToldAtOnceAndOnce) {
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kStreamHealthy, "out"); }));
  world_.Do([&] { world_.producer_busy = true; });
  world_.Send("c", "a");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out"); }));
  world_.Do([&] { world_.dropped = 7; });
  EXPECT_TRUE(Eventually([&] { return Has(kTransportMessagesDropped, "out"); }));
  ASSERT_TRUE(Set({{"out", Direction::kEgress, "c", R"({"a":1})"}}).error.ok());  // it takes the subscription over
  ASSERT_TRUE(Eventually([&] { return Created().size() == 2; }));
  world_.Do([&] { world_.producer_busy = false; });
  EXPECT_TRUE(Comes({"a"}, &RuntimeTest::Produced));
  runtime_->Shutdown();
  const Texts log = world_.Do([&] { return world_.log; });
  EXPECT_EQ(std::count(log.begin(), log.end(), "out: 7 messages dropped: the stream is slower than its channel"), 1);
}

TEST_F(Delivery, ASubscriptionThatCannotReceiveForAWhileIsKeptWhereTheTransportKeepsMessages) {
  world_.Do([&] {
    world_.keeping = true;
    world_.receive_errors = {Error(Code::kUnavailable, "no leader"), Error(Code::kUnavailable, "no leader")};
  });
  ASSERT_TRUE(Set({kOut}).error.ok());
  ASSERT_TRUE(Eventually([&] { return Has(kTransportSubscribeFailed, "out"); }));
  world_.Send("c", "a");
  EXPECT_TRUE(Comes({"a"}, &RuntimeTest::Produced));
  EXPECT_TRUE(Eventually([&] { return !Has(kTransportSubscribeFailed, "out") && Has(kStreamHealthy, "out"); }));
  EXPECT_EQ(world_.Do([&] { return world_.subscribes; }), 1);
  EXPECT_EQ(Created().size(), 1u);
}

TEST_F(Delivery, BothDirectionsTogetherHaveOneDrain) {
  drain_timeout_ = std::chrono::seconds(1);
  Start();
  world_.Do([&] {
    world_.confirming = false;
    world_.producer_busy = true;
    world_.source = {"a"};
  });
  StreamSpec in = kIn;
  in.channel = "other";
  ASSERT_TRUE(Set({in, kOut}).error.ok());
  world_.Send("c", "b");
  ASSERT_TRUE(Eventually([&] { return Has(kStreamUnhealthy, "out") && !Published().empty(); }));
  const auto began = std::chrono::steady_clock::now();
  runtime_->Shutdown();
  const auto lasted = std::chrono::steady_clock::now() - began;
  EXPECT_GE(lasted, std::chrono::milliseconds(900)) << "all the time that there is, for what may still come";
  EXPECT_LT(lasted, std::chrono::milliseconds(1400));
}

TEST_F(Delivery, ADeadLetterThatIsNotConfirmedDoesNotOutlastTheDrain) {
  drain_timeout_ = std::chrono::seconds(1);
  Start();
  world_.Do([&] {
    world_.refused = "bad";
    world_.confirming = false;
  });
  ASSERT_TRUE(Set({kOut}).error.ok());
  world_.Send("c", "bad");
  ASSERT_TRUE(Comes({"bad"}, &RuntimeTest::Published));
  const auto began = std::chrono::steady_clock::now();
  runtime_->Shutdown();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(1600));
}

}  // namespace
}  // namespace kps::test
